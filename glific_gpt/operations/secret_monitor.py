"""Count the unreadable secrets for the metrics, again and again."""

import threading
import time

import structlog
from flask import Flask
from sqlalchemy import func

from glific_gpt.database import reading
from glific_gpt.metrics import recording
from glific_gpt.operations.secrets import SECRETS, check
from glific_gpt.services import services
from glific_gpt.vault import Vault

INTERVAL_SECONDS = 15.0
MAX_SHARE = 0.01
"""Share of a processor that the checks may take. With many secrets, the time between two checks is longer."""
MAX_SECRETS = 20_000
"""Secrets of one check. The rest is not checked."""
MAX_CHARACTERS = 16 * 1024
"""Longer waiting questions and answers are not checked, because to decrypt them takes long."""

log = structlog.get_logger()

SHORT_SECRETS = tuple(secret._replace(conditions=(func.length(secret.column) <= MAX_CHARACTERS,)) for secret in SECRETS)


def start(app: Flask) -> None:
    """Start the checks in a thread, if there are metrics."""
    if recording.is_enabled():
        threading.Thread(target=_run, args=(app,), name="secret-monitor", daemon=True).start()


def count_unreadable(vault: Vault) -> int:
    """Return how many of the secrets this process cannot decrypt. Raises SQLAlchemyError."""
    unreadable = 0
    for count in check(vault, SHORT_SECRETS, reading):
        unreadable = count.unreadable
        if count.processed >= MAX_SECRETS:
            break
    return unreadable


def _run(app: Flask) -> None:
    while True:
        started = time.thread_time()
        try:
            with app.app_context():
                recording.secrets_checked(count_unreadable(services().vault))
        except Exception as failure:  # noqa: BLE001 - the loop must survive; the gauge of the database tells
            log.warning("secret_check_failed", reason=type(failure).__name__)
        time.sleep(max(INTERVAL_SECONDS, (time.thread_time() - started) / MAX_SHARE))
