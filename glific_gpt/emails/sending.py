"""The durable workflow of an e-mail: one attempt in each run, and then the time until the next one."""

import random
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.database import lock_rows, retry_until_available
from glific_gpt.durable import WorkflowContext, waiting
from glific_gpt.emails import outbox, smtp
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.errors import NotReady
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.vault import Vault

RETRY_FOR = timedelta(hours=6)
"""How long an e-mail is tried again after its first failed attempt."""
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 600.0
KEY_WAIT_SECONDS = 30.0
"""Time between two attempts to read an e-mail whose encryption key the processes lack."""

PERMANENT_FAILURE = 500
"""Replies of a mail server from this number on refuse an e-mail for ever (RFC 5321, 4.2.1)."""

Composer = Callable[[Session, dict[str, str]], Email | None]
"""Composes an e-mail in a worker, in a transaction, from the parameters in its row. Returns None to send nothing."""

log = structlog.get_logger()


@dataclass(frozen=True)
class ReadyEmail:
    """An e-mail that can be sent now."""

    email: Email
    created_at: datetime


@dataclass(frozen=True)
class Result:
    """The end of a run."""

    retry_seconds: float | None = None
    """Seconds until the next one; None if there is none."""
    event: str = ""
    """Its line in the log; none if empty."""
    level: str = "info"
    failed_attempts: int = 0
    reason: str = ""


@dataclass(frozen=True)
class EmailWorkflow:
    """Sends e-mails by their ids. An e-mail is sent at least once: a killed process may have sent it before."""

    vault: Vault
    composers: Mapping[str, Composer]
    """By kind of e-mail."""

    def run(self, email_id: str, durable: WorkflowContext) -> float | None:
        """Return the seconds until the engine is to run the workflow again; None when it has ended."""
        return durable.step("send", lambda: self.attempt(email_id))

    @blocking
    def attempt(self, email_id: str) -> float | None:
        """Try once to send the e-mail, if it still waits. Returns the seconds until the next attempt."""
        ready = retry_until_available(lambda session: self._prepare(session, email_id))
        if isinstance(ready, ReadyEmail):
            failure = _send(ready, email_id)
            result = retry_until_available(lambda session: _record(session, email_id, failure))
        else:
            result = ready
        if result.event:  # after the commit, which may have been repeated
            _log(email_id, result)
        return result.retry_seconds

    def _prepare(self, session: Session, email_id: str) -> ReadyEmail | Result:
        row = _lock(session, email_id)
        if row is None:
            return Result()
        if row.expires_at <= now():
            session.delete(row)
            return _given_up(row, "link_expired")
        try:
            content = outbox.decrypt(self.vault, row.content)
        except NotReady:
            return Result(KEY_WAIT_SECONDS)  # the vault has logged it
        email = Email(**content) if row.kind == outbox.MESSAGE else self._compose(session, row, content)
        return ReadyEmail(email, row.created_at) if email else Result()

    def _compose(self, session: Session, row: OutgoingEmail, parameters: dict[str, str]) -> Email | None:
        """Replace the parameters by the e-mail, so that each attempt sends the same one; delete the row for None."""
        email = self.composers[row.kind](session, parameters)
        if email is None:
            session.delete(row)
        else:
            row.kind, row.content = outbox.MESSAGE, outbox.encrypt(self.vault, asdict(email))
        return email


def _lock(session: Session, email_id: str) -> OutgoingEmail | None:
    """Return the row, which a second run of the workflow cannot change meanwhile; None if there is none."""
    rows = lock_rows(session, select(OutgoingEmail).where(OutgoingEmail.id == email_id))
    return rows[0] if rows else None


def _send(ready: ReadyEmail, email_id: str) -> Exception | None:
    """Return the failure, if there was one."""
    try:
        with waiting():
            smtp.send(ready.email, email_id, ready.created_at)
    except Exception as failure:  # noqa: BLE001 - whatever it is, the e-mail was not sent
        return failure
    return None


def _record(session: Session, email_id: str, failure: Exception | None) -> Result:
    row = _lock(session, email_id)
    if row is None:  # another process has sent it, because it considered this one dead
        return Result()
    if failure is None:
        session.delete(row)
        return Result(event="email_sent", failed_attempts=row.failed_attempts)
    row.failed_attempts += 1
    row.failing_since = row.failing_since or now()
    reason = _describe(failure)
    if _is_final(failure) or now() - row.failing_since > RETRY_FOR:
        session.delete(row)
        return _given_up(row, reason)
    return Result(_delay(row.failed_attempts), "email_delayed", "warning", row.failed_attempts, reason)


def _given_up(row: OutgoingEmail, reason: str) -> Result:
    return Result(None, "email_failed", "error", row.failed_attempts, reason)


def _delay(failed_attempts: int) -> float:
    """Return the seconds until the next attempt: exponential backoff with jitter."""
    doubled: float = FIRST_DELAY_SECONDS * 2 ** min(failed_attempts - 1, 20)
    return min(doubled, LONGEST_DELAY_SECONDS) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load


def _describe(failure: Exception) -> str:
    """Name the failure. Its message could contain the address."""
    if isinstance(failure, smtp.EmailNotSendable):
        return f"EmailNotSendable {failure}"
    name, code = type(failure).__name__, _reply_code(failure)
    return f"{name} {code}" if code else name


def _is_final(failure: Exception) -> bool:
    """Return whether the mail server refuses this e-mail for ever, or can never take it.

    Other failures, such as a refused password, end when an administrator corrects the settings.
    """
    if isinstance(failure, smtp.EmailNotSendable):
        return True
    is_about_email = isinstance(failure, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    return is_about_email and (_reply_code(failure) or 0) >= PERMANENT_FAILURE


def _reply_code(failure: Exception) -> int | None:
    """Return the code of the mail server's reply; None if the failure was not a reply."""
    code: Any = None
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _ in failure.recipients.values()), None)
    elif isinstance(failure, smtplib.SMTPResponseException):
        code = failure.smtp_code
    return code if isinstance(code, int) else None


def _log(email_id: str, result: Result) -> None:
    fields: dict[str, object] = {"email_id": email_id, "failed_attempts": result.failed_attempts}
    if result.reason:
        fields["reason"] = result.reason
    if result.retry_seconds is not None:
        fields["retry_after_seconds"] = round(result.retry_seconds)
    getattr(log, result.level)(result.event, **fields)
