"""The limit of waiting deferred calls: what one organization may have stored, so that it cannot fill the disk."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import HAS_CONTENT, Delivery
from glific_gpt.database import Work, lock_rows, lock_rows_briefly
from glific_gpt.errors import Overloaded
from glific_gpt.organizations.tables import Organization

RETRY_AFTER_SECONDS = 10
BYTES_PER_MEGABYTE = 1024 * 1024

BRIEF_LOCK_SECONDS = 0.05
"""How long an `auto` call whose deadline has passed waits until another process has counted."""

DELETED_SHARE = 20
"""One part in so many of the failed deliveries is deleted at once, so that not every call has to delete some."""


@dataclass
class Stored:
    """The deliveries of one organization with a stored question or answer: those that wait, and that have failed."""

    waiting_calls: int = 0
    waiting_bytes: int = 0
    failed_calls: int = 0
    failed_bytes: int = 0


@dataclass(frozen=True)
class WaitingLimit:
    """The most calls that may wait for one organization, over all processes, and the most that is stored for it.

    As many failed deliveries may be kept for a retry. Their content counts for what is stored. It is deleted, the
    oldest first, when it leaves no space for a call.
    """

    max_calls: int
    max_megabytes: int

    def check(self, session: Session, arrived: Sequence[Work]) -> None:
        """Refuse calls beyond the limit. Call it at the beginning of the transaction that stores the others."""
        # The locks make concurrent processes count one after the other.
        lock_rows(session, _organizations(arrived))
        self._refuse_further(session, arrived)

    def check_briefly(self, session: Session, arrived: Sequence[Work]) -> None:
        """Do the same for calls that have no time to wait.

        While the transactions of one organization keep it locked, calls of all others would fail too. So its calls are
        counted without the lock then, and may exceed the limit by those that other processes store at this moment.
        """
        lock_rows_briefly(session, _organizations(arrived), BRIEF_LOCK_SECONDS)
        self._refuse_further(session, arrived)

    def _refuse_further(self, session: Session, arrived: Sequence[Work]) -> None:
        stored = _count(session, {work.owner for work in arrived})
        for work in arrived:
            counted = stored[work.owner]
            work.refusal = self._refusal(counted, work.stored_bytes)
            if work.refusal is None:
                self._make_room(session, work.owner, counted, work.stored_bytes)
                counted.waiting_calls += 1
                counted.waiting_bytes += work.stored_bytes

    @property
    def _max_bytes(self) -> int:
        return self.max_megabytes * BYTES_PER_MEGABYTE

    def _make_room(self, session: Session, organization_id: int, stored: Stored, new_bytes: int) -> None:
        while stored.failed_calls > self.max_calls or (
            stored.failed_calls and stored.waiting_bytes + stored.failed_bytes + new_bytes > self._max_bytes
        ):
            count = -(-stored.failed_calls // DELETED_SHARE)  # rounded up
            calls, deleted_bytes = delivery_records.delete_oldest_failed(session, organization_id, count)
            if not calls:  # other transactions have locked the rest, and the next call tries again
                return
            stored.failed_calls -= calls
            stored.failed_bytes -= deleted_bytes

    def _refusal(self, stored: Stored, new_bytes: int) -> Overloaded | None:
        if stored.waiting_calls >= self.max_calls:
            return Overloaded(
                "This organization has reached its limit of deferred calls that wait for an answer "
                f"({self.max_calls}). Send fewer calls at the same time, or try again in a moment.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        if stored.waiting_bytes + new_bytes > self._max_bytes:
            return Overloaded(
                "This organization has reached its limit of stored questions of deferred calls "
                f"({self.max_megabytes} MB). Send shorter questions or fewer calls, or try again in a moment.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        return None


def _organizations(arrived: Sequence[Work]) -> Select[int]:
    owners = {work.owner for work in arrived}
    # The order prevents deadlocks.
    return select(Organization.id).where(Organization.id.in_(owners)).order_by(Organization.id)


def _count(session: Session, organization_ids: Collection[int]) -> dict[int, Stored]:
    """Count in the index alone: other calls wait for this transaction."""
    by_state = (
        select(Delivery.organization_id, Delivery.state, func.count(), func.sum(Delivery.stored_bytes))
        .where(Delivery.organization_id.in_(organization_ids), HAS_CONTENT)
        .group_by(Delivery.organization_id, Delivery.state)
    )
    found = {organization_id: Stored() for organization_id in organization_ids}
    for organization_id, state, calls, stored_bytes in session.execute(by_state):
        stored = found[organization_id]
        if state == "waiting":
            stored.waiting_calls, stored.waiting_bytes = calls, int(stored_bytes)
        else:
            stored.failed_calls += calls
            stored.failed_bytes += int(stored_bytes)
    return found
