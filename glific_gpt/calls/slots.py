"""Slots for the calls that a process holds at the same time, with a limit for each organization."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from glific_gpt.errors import Overloaded
from glific_gpt.metrics import recording


class CallSlots:
    """The slots of one process. An organization may hold a share of those that other organizations leave free.

    Others therefore find a free slot, however many calls one organization sends: with a share of a half, the second
    organization may hold half of the rest, and so on.
    """

    def __init__(self, number: int, organization_share: float) -> None:
        self._number = number
        self._share = organization_share
        self._held: Counter[int] = Counter()
        """Slots in use, by organization. Organizations without one are not in it."""
        self._total = 0
        self._lock = Lock()

    @contextmanager
    def hold(self, organization_id: int, number: int = 1) -> Iterator[None]:
        """Hold this number of slots. Raises Overloaded if all are taken, or if they exceed the organization's share.

        A single call may exceed the share, because it could never be answered otherwise.
        """
        self._take(organization_id, number)
        try:
            with recording.in_flight():
                yield
        finally:
            self._free(organization_id, number)

    def _take(self, organization_id: int, number: int) -> None:
        with self._lock:
            held = self._held[organization_id]
            left_by_others = self._number - (self._total - held)
            if left_by_others <= held:
                raise Overloaded(retry_after=1)
            # At least one, because a server with very few slots would otherwise refuse every call.
            limit = max(1, int(left_by_others * self._share))
            if held and held + number > limit:
                raise Overloaded(
                    f"This organization has reached its limit of calls at the same time ({limit} at present). "
                    "Send fewer calls at the same time, or try again in a moment.",
                    retry_after=1,
                )
            self._held[organization_id] += number
            self._total += number

    def _free(self, organization_id: int, number: int) -> None:
        with self._lock:
            self._total -= number
            self._held[organization_id] -= number
            if not self._held[organization_id]:
                del self._held[organization_id]
