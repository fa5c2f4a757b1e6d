"""The outbox: store an e-mail and enqueue its workflow, in the transaction of the caller."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.durable import WorkflowEngine
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.vault import NO_ORGANIZATION, Vault

EXTENSION = "glific_gpt.outbox"

ID_PREFIX = "mail_"
MESSAGE = "message"
"""Kind of an e-mail that is composed already."""
PURPOSE = "email"
"""Purpose of the ciphertexts for the vault."""

MAX_WAITING = 10_000
"""E-mails that may wait at the same time, about 20 MB."""


@dataclass(frozen=True)
class Outbox:
    """Takes e-mails to send. They survive the end of the process and of the mail server."""

    vault: Vault
    engine: WorkflowEngine

    def send(self, session: Session, email: Email, expires_at: datetime) -> bool:
        """Send the e-mail unless its link expires before. Returns False if too many e-mails wait."""
        return self._add(session, MESSAGE, asdict(email), expires_at, limit=MAX_WAITING)

    def compose_and_send(
        self,
        session: Session,
        kind: str,
        parameters: dict[str, str],
        expires_at: datetime,
        *,
        delay_seconds: float,
        limit: int,
    ) -> bool:
        """Do the same for an e-mail that a worker composes from the parameters, after the delay."""
        return self._add(session, kind, parameters, expires_at, delay_seconds=delay_seconds, limit=limit)

    def is_delayed(self, session: Session) -> bool:
        """Return whether the mail server has refused an e-mail that still waits, or could not be reached."""
        return bool(session.scalar(select(select(OutgoingEmail).where(OutgoingEmail.failed_attempts > 0).exists())))

    def _add(
        self,
        session: Session,
        kind: str,
        content: dict[str, str],
        expires_at: datetime,
        *,
        limit: int,
        delay_seconds: float = 0.0,
    ) -> bool:
        waiting = select(OutgoingEmail.id).limit(limit).subquery()
        if session.scalar(select(func.count()).select_from(waiting)) == limit:
            return False
        email_id = f"{ID_PREFIX}{secrets.token_hex(16)}"
        row = OutgoingEmail(id=email_id, kind=kind, expires_at=expires_at, created_at=now(), enqueued_at=now())
        row.content = encrypt(self.vault, content)
        session.add(row)
        self.engine.enqueue(session, email_id, email_id, NO_ORGANIZATION, delay_seconds=delay_seconds)
        return True


def encrypt(vault: Vault, content: dict[str, str]) -> str:
    return vault.encrypt(NO_ORGANIZATION, PURPOSE, json.dumps(content))


def decrypt(vault: Vault, ciphertext: str) -> dict[str, str]:
    """Raises NotReady."""
    content: dict[str, str] = json.loads(vault.decrypt(NO_ORGANIZATION, PURPOSE, ciphertext))
    return content


def init(app: Flask, outbox: Outbox) -> None:
    app.extensions[EXTENSION] = outbox


def current_outbox() -> Outbox:
    """Return the outbox of the current app."""
    return cast("Outbox", current_app.extensions[EXTENSION])
