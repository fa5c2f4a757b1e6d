"""Sessions that ended by signing out, so that a copy of their cookie is refused by every process."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from glific_gpt.accounts.tables import EndedSession
from glific_gpt.clock import now
from glific_gpt.database import insert_if_absent

KEPT = timedelta(days=1)
"""Longer than a session lasts."""


def end(session: Session, session_id: str) -> None:
    """Record that the session has ended. To end it again changes nothing."""
    insert_if_absent(session, EndedSession(id=session_id, ended_at=now()))


def is_ended(session: Session, session_id: str) -> bool:
    return session.scalar(select(EndedSession.id).where(EndedSession.id == session_id)) is not None


def delete_expired(session: Session) -> None:
    """Delete the records of sessions that have expired meanwhile."""
    session.execute(delete(EndedSession).where(EndedSession.ended_at < now() - KEPT))
