"""The limit of waiting deferred calls: what one organization may have stored, so that it cannot fill the disk."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import IS_WAITING, Delivery
from glific_gpt.database import Work, lock_rows
from glific_gpt.errors import Overloaded
from glific_gpt.organizations.tables import Organization

RETRY_AFTER_SECONDS = 10
BYTES_PER_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Waiting:
    """The waiting deferred calls of one organization."""

    calls: int
    stored_bytes: int


@dataclass(frozen=True)
class WaitingLimit:
    """The most calls that may wait for one organization, over all processes, and the most that is stored for them."""

    max_calls: int
    max_megabytes: int

    def check(self, session: Session, arrived: Sequence[Work]) -> None:
        """Refuse calls beyond the limit. Call it at the beginning of the transaction that stores the others."""
        # The locks make concurrent processes count one after the other. Their order prevents deadlocks.
        owners = {work.owner for work in arrived}
        lock_rows(session, select(Organization.id).where(Organization.id.in_(owners)).order_by(Organization.id))
        waiting = {owner: self._count(session, owner) for owner in owners}
        for work in arrived:
            before = waiting[work.owner]
            after = Waiting(before.calls + 1, before.stored_bytes + work.stored_bytes)
            work.refusal = self._refusal(after)
            if work.refusal is None:
                waiting[work.owner] = after

    def _count(self, session: Session, organization_id: int) -> Waiting:
        is_waiting = (Delivery.organization_id == organization_id, IS_WAITING)
        # Other calls wait for this transaction, so it reads no more of the index than it needs.
        found = select(Delivery.stored_bytes).where(*is_waiting).limit(self.max_calls).subquery()
        count, total = session.execute(select(func.count(), func.sum(found.c.stored_bytes)).select_from(found)).one()
        return Waiting(count, int(total or 0))

    def _refusal(self, waiting: Waiting) -> Overloaded | None:
        if waiting.calls > self.max_calls:
            return Overloaded(
                "This organization has reached its limit of deferred calls that wait for an answer "
                f"({self.max_calls}). Send fewer calls at the same time, or try again in a moment.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        if waiting.stored_bytes > self.max_megabytes * BYTES_PER_MEGABYTE:
            return Overloaded(
                "This organization has reached its limit of stored questions of deferred calls "
                f"({self.max_megabytes} MB). Send shorter questions or fewer calls, or try again in a moment.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        return None
