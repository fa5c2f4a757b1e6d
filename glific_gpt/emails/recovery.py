"""Enqueue e-mails again after their durable work was lost, and log e-mails that no worker sends."""

import re
import secrets
from datetime import timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.durable import WorkflowEngine
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.vault import NO_ORGANIZATION

GRACE_PERIOD = timedelta(minutes=1)
"""Age from which an e-mail is checked: the work of younger ones may just begin."""
STUCK_AFTER = timedelta(minutes=20)

log = structlog.get_logger()


def requeue_orphans(engine: WorkflowEngine) -> None:
    """Enqueue waiting e-mails without a workflow, which a failure of the database may have ended.

    Several processes may run this at the same time: only one of them enqueues an e-mail.
    """
    with transaction() as session:
        query = select(OutgoingEmail.id, OutgoingEmail.enqueued_at)
        waiting = session.execute(query.where(OutgoingEmail.enqueued_at < now() - GRACE_PERIOD)).all()
    if not waiting:
        return
    # Workflows are listed after the e-mails: one that has ended in between has also deleted its e-mail.
    # Their ids begin with the e-mail's: `mail_1`, `mail_1.ab12` for one that was enqueued again, `mail_1~3`.
    active = {re.split("[.~]", workflow_id)[0] for workflow_id in engine.list_unfinished()}
    for email_id, enqueued_at in waiting:
        if email_id in active:
            continue
        unchanged = (OutgoingEmail.id == email_id, OutgoingEmail.enqueued_at == enqueued_at)
        claim = update(OutgoingEmail).where(*unchanged).values(enqueued_at=now()).returning(OutgoingEmail.id)
        with transaction() as session:
            if session.scalar(claim) is not None:
                # Not in the partition of its organization, which the row does not contain. This is rare.
                engine.enqueue(session, f"{email_id}.{secrets.token_hex(4)}", email_id, NO_ORGANIZATION)
                log.warning("email_requeued", email_id=email_id)


def log_stuck_emails(session: Session) -> None:
    """Log e-mails that were not tried for a long time: there is no worker, or none with the encryption key."""
    stuck = (OutgoingEmail.created_at < now() - STUCK_AFTER, OutgoingEmail.failed_attempts == 0)
    count = session.scalar(select(func.count()).select_from(OutgoingEmail).where(*stuck))
    if count:
        log.error("emails_stuck", count=count, longer_than_minutes=STUCK_AFTER.seconds // 60)
