"""The outbox: store an e-mail and enqueue its workflow, in the transaction of the caller."""

import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import cast

from flask import Flask, current_app
from sqlalchemy import ColumnElement, delete, func, select
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
ALERT = "alert"
"""Topic of e-mails about alerts."""
PURPOSE = "email"
"""Purpose of the ciphertexts for the vault."""

MAX_WAITING = 10_000
"""Composed e-mails that may wait at the same time, about 20 MB."""
MARK_LENGTH = 16
"""Hexadecimal digits of a recipient's mark."""


@dataclass(frozen=True)
class Outbox:
    """Takes e-mails to send. They survive the end of the process and of the mail server."""

    vault: Vault
    engine: WorkflowEngine
    recipient_key: bytes = field(repr=False)
    """Key of the marks in the ids of e-mails, by which the e-mails of one person are found."""

    def send(
        self,
        session: Session,
        email: Email,
        expires_at: datetime,
        organization_id: int = NO_ORGANIZATION,
        *,
        topic: str = MESSAGE,
    ) -> bool:
        """Send the e-mail unless its link expires before. Returns False if too many e-mails wait.

        It replaces an e-mail with a link that waits for the same person. E-mails of other topics are all sent.
        """
        prefix = self._id_prefix(topic, email.recipient)
        if topic == MESSAGE:
            session.execute(delete(OutgoingEmail).where(_has_prefix(prefix)))
        row = self._row(prefix, MESSAGE, asdict(email), expires_at)
        return self._add(session, row, organization_id, limit=MAX_WAITING)

    def compose_and_send(
        self,
        session: Session,
        kind: str,
        recipient: str,
        parameters: dict[str, str],
        expires_at: datetime,
        *,
        delay_seconds: float,
        limit: int,
    ) -> bool:
        """Do the same for an e-mail that a worker composes from the parameters, after the delay.

        Nothing is stored while another one of this kind waits to be composed for the recipient. At most `limit` of the
        kind wait to be composed.
        """
        prefix = self._id_prefix(kind, recipient)
        waiting = select(OutgoingEmail.id).where(_has_prefix(prefix), OutgoingEmail.kind == kind)
        # Without composed ones: they exist for known addresses only, and the time of the response would reveal that.
        if session.scalar(select(waiting.exists())):
            return True
        row = self._row(prefix, kind, parameters, expires_at)
        return self._add(session, row, delay_seconds=delay_seconds, limit=limit)

    def discard(self, session: Session, recipient: str, kinds: Iterable[str]) -> None:
        """Delete the e-mails of these kinds that wait for a person. Their workflows then end by themselves."""
        for kind in kinds:
            session.execute(delete(OutgoingEmail).where(_has_prefix(self._id_prefix(kind, recipient))))

    def is_delayed(self, session: Session) -> bool:
        """Return whether the mail server has refused an e-mail that still waits, or could not be reached."""
        return bool(session.scalar(select(select(OutgoingEmail).where(OutgoingEmail.failed_attempts > 0).exists())))

    def _add(
        self,
        session: Session,
        row: OutgoingEmail,
        organization_id: int = NO_ORGANIZATION,
        *,
        limit: int,
        delay_seconds: float = 0.0,
    ) -> bool:
        waiting = select(OutgoingEmail.id).where(OutgoingEmail.kind == row.kind).limit(limit).subquery()
        if session.scalar(select(func.count()).select_from(waiting)) == limit:
            return False
        session.add(row)
        # Negative, because the organization's own number is the partition of its calls.
        self.engine.enqueue(session, row.id, row.id, -organization_id, delay_seconds=delay_seconds)
        return True

    def _row(self, id_prefix: str, kind: str, content: dict[str, str], expires_at: datetime) -> OutgoingEmail:
        return OutgoingEmail(
            id=f"{id_prefix}{secrets.token_hex(8)}",
            kind=kind,
            content=encrypt(self.vault, content),
            expires_at=expires_at,
            created_at=now(),
            enqueued_at=now(),
        )

    def _id_prefix(self, kind: str, recipient: str) -> str:
        """Return the beginning of the ids of a person's e-mails of this kind, with a keyed hash of the address."""
        text = f"{kind} {recipient}".encode(errors="replace")
        mark = hmac.digest(self.recipient_key, text, "sha256").hex()[:MARK_LENGTH]
        return f"{ID_PREFIX}{mark}"


def _has_prefix(prefix: str) -> ColumnElement[bool]:
    return OutgoingEmail.id.startswith(prefix, autoescape=True)


def discard_by_workflow(session: Session, workflow_ids: Iterable[str]) -> None:
    """Delete the e-mails of these workflows."""
    # Their ids begin with the e-mail's: `mail_1`, `mail_1.ab12` for one that was enqueued again, `mail_1~3`.
    ids = {re.split("[.~]", workflow_id)[0] for workflow_id in workflow_ids}
    session.execute(delete(OutgoingEmail).where(OutgoingEmail.id.in_(ids)))


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
