"""Deferred calls that wait for a worker, and whether there seems to be one."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Delivery
from glific_gpt.clock import now

UNATTENDED_AFTER = timedelta(seconds=60)
"""Time without any progress after which there seems to be no worker."""


LONGEST_ANSWER = timedelta(minutes=2)
"""Longer than OpenAI may take for a deferred answer by default."""
ENDED_STATES = ("delivered", *FAILED_DELIVERY_STATES)


@dataclass(frozen=True)
class Backlog:
    """The deferred calls with a question that has not been asked."""

    count: int
    oldest_seconds: int
    """Age of the oldest one; zero if there is none."""
    is_unattended: bool
    """True if calls wait for a minute and no worker has done anything in this minute."""


def find_backlog(session: Session) -> Backlog:
    """Return the current backlog."""
    # A question that nobody has begun to answer. One that waits for an encryption key has a `last_response`.
    is_waiting = (
        Delivery.state == "waiting",
        Delivery.asked_at.is_(None),
        Delivery.answered_at.is_(None),
        Delivery.last_response.is_(None),
    )
    count, oldest = session.execute(select(func.count(), func.min(Delivery.accepted_at)).where(*is_waiting)).one()
    if oldest is None:
        return Backlog(0, 0, is_unattended=False)
    age = now() - oldest
    return Backlog(
        count, max(0, round(age.total_seconds())), is_unattended=age > UNATTENDED_AFTER and not _has_progress(session)
    )


def _has_progress(session: Session) -> bool:
    since = now() - UNATTENDED_AFTER
    # Both parts can use the index of state and ended_at.
    ended = and_(Delivery.state.in_(ENDED_STATES), Delivery.ended_at > since)
    # Servers themselves ask for `auto` calls, before these are accepted. A worker may wait for OpenAI for minutes.
    begun = and_(
        Delivery.state == "waiting",
        Delivery.asked_at > Delivery.accepted_at,
        or_(Delivery.asked_at > now() - LONGEST_ANSWER, Delivery.answered_at > since),
    )
    return session.scalar(select(Delivery.call_id).where(or_(ended, begun)).limit(1)) is not None
