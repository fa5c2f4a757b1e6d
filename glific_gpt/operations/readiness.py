"""Readiness of this process: the database can be written to, and has its migrations and encryption keys."""

import time
from threading import Lock

import structlog
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database import failures, migrations, transaction
from glific_gpt.operations import key_check
from glific_gpt.services import services
from glific_gpt.vault import Vault

INTERVAL_SECONDS = 1.0
"""The database is asked at most once in this time. Health checks need no token, so a stranger can send many."""

EXTENSION = "glific_gpt_readiness"

log = structlog.get_logger()


def current_readiness() -> "Readiness":
    """Return the readiness of the current app's process."""
    readiness: Readiness = current_app.extensions.setdefault(EXTENSION, Readiness(services().vault))
    return readiness


class Readiness:
    """The readiness of this process, checked when somebody asks."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = Lock()
        self._checked_at = float("-inf")
        self._is_ready = False

    def is_ready(self) -> bool:
        """Return the result of the last check, after a new one if it is older than a second."""
        with self._lock:
            if time.monotonic() - self._checked_at >= INTERVAL_SECONDS:
                self._is_ready = self._check()
                self._checked_at = time.monotonic()
            return self._is_ready

    def _check(self) -> bool:
        try:
            with transaction() as session:
                is_current = migrations.are_current(session.connection())
            # Missing tables would make the second check fail with another reason.
            if not is_current:
                log.warning("readiness_check_failed", reason=failures.MIGRATIONS_MISSING.message)
            elif key_check.write_and_verify(self._vault):
                return True
            else:
                log.warning("readiness_check_failed", reason=key_check.MSG_WRONG_KEYS)
        except SQLAlchemyError as error:
            log.warning("readiness_check_failed", reason=failures.describe(error).message)
        return False
