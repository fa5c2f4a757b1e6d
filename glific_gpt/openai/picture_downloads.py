"""Download pictures for organizations that choose so: from public addresses, a few at a time, within the memory."""

import asyncio
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ssl import SSLContext

from glific_gpt import errors
from glific_gpt.clock import Deadline
from glific_gpt.errors import InvalidField, Overloaded
from glific_gpt.network.http_client import AddressPolicy, Resolver, resolve_addresses, tls_context
from glific_gpt.openai.picture_client import MAX_PICTURE_BYTES, PictureClients, allow_public
from glific_gpt.runtime import bridge, large_blocks
from glific_gpt.runtime.fair_slots import FairSlots
from glific_gpt.runtime.fair_threads import FairThreads, ThreadTimeout

THREADS = 6
DOWNLOADS_PER_ORGANIZATION = 2
"""Downloads of an organization at the same time, so that slow servers leave threads for the others."""
MAX_HELD_CHARACTERS = 96 * 1024 * 1024
"""Pictures that wait for OpenAI's answer in a process, as data URLs. Downloads in progress come on top.

An organization has half of it, with its downloads in progress: with slow answers, it leaves the rest to the others.
"""
MAX_HELD_CHARACTERS_PER_ORGANIZATION = MAX_HELD_CHARACTERS // 2
MAX_PICTURE_CHARACTERS = MAX_PICTURE_BYTES * 4 // 3
"""Length of the largest picture. Each download of an organization in progress may become one."""
WAIT_SECONDS = 0.1
"""Pause before a call looks again whether there is memory for its picture."""


class PictureDownloads:
    """The downloads of one process. They run in threads of their own, and organizations take turns."""

    def __init__(
        self,
        context: SSLContext | None = None,
        allows: AddressPolicy = allow_public,
        resolve: Resolver = resolve_addresses,
    ) -> None:
        large_blocks.return_when_freed()  # the process has none that are larger than pictures
        self._clients = PictureClients(context or tls_context(), allows, resolve)
        self._threads = FairThreads(THREADS, "picture")
        self._slots: defaultdict[str, FairSlots] = defaultdict(lambda: FairSlots(DOWNLOADS_PER_ORGANIZATION))
        """By organization. Only the event loop uses them."""
        self._late: set[asyncio.Task[str]] = set()
        """Downloads whose calls wait no longer."""
        self._downloading: Counter[str] = Counter()
        """Downloads in progress, by organization. Only the event loop uses it."""
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def fetch(self, group: str, address: str, deadline: Deadline) -> Iterator[str]:
        """Yield the picture as a data URL. Its memory counts until the block ends. An organization is one group.

        Raises InvalidField for an address without a picture, and Overloaded if there is no memory for it in time.
        """
        picture = bridge.await_(self._download_in_time(group, address, deadline))
        try:
            yield picture
        finally:
            self._hold(group, -len(picture))

    async def _download_in_time(self, group: str, address: str, deadline: Deadline) -> str:
        begun = threading.Event()
        task = asyncio.ensure_future(self._download_in_turn(group, address, deadline, begun))
        await asyncio.wait({task}, timeout=deadline.remaining())
        if not task.done():
            # The system's resolver has no time-out, so that its thread may take longer than the call.
            self._late.add(task)
            task.add_done_callback(partial(self._drop, group))
            raise InvalidField(errors.MSG_PICTURE_SLOW).naming("url") if begun.is_set() else _overloaded()
        return task.result()

    def _drop(self, group: str, late: "asyncio.Task[str]") -> None:
        self._late.discard(late)
        # asyncio logs an error that nobody has looked at.
        if not late.cancelled() and late.exception() is None:
            self._hold(group, -len(late.result()))

    async def _download_in_turn(self, group: str, address: str, deadline: Deadline, begun: threading.Event) -> str:
        def download() -> str:
            begun.set()
            return self._clients.download(address, deadline)

        slots = self._slots[group]
        if not await slots.acquire(group, deadline.remaining()):
            raise _overloaded()
        try:
            await self._wait_for_memory(group, deadline)
            return await self._download_and_hold(group, deadline, download)
        except ThreadTimeout:
            raise _overloaded() from None
        finally:
            slots.release()

    async def _download_and_hold(self, group: str, deadline: Deadline, download: Callable[[], str]) -> str:
        self._downloading[group] += 1
        try:
            picture = await self._threads.run(group, deadline.remaining(), download)
            self._hold(group, len(picture))  # before the next download looks for memory
            return picture
        finally:
            self._downloading[group] -= 1
            self._downloading += Counter()

    async def _wait_for_memory(self, group: str, deadline: Deadline) -> None:
        while not self._has_memory(group):
            if deadline.remaining() <= WAIT_SECONDS:
                raise _overloaded()
            await asyncio.sleep(WAIT_SECONDS)

    def _has_memory(self, group: str) -> bool:
        with self._lock:
            is_free = self._held.total() < MAX_HELD_CHARACTERS
            expected = self._held[group] + self._downloading[group] * MAX_PICTURE_CHARACTERS
            return is_free and expected < MAX_HELD_CHARACTERS_PER_ORGANIZATION

    def _hold(self, group: str, characters: int) -> None:
        with self._lock:
            self._held[group] += characters
            self._held += Counter()  # drops the entries at zero


def _overloaded() -> Overloaded:
    return Overloaded(errors.MSG_MANY_PICTURES, retry_after=1)
