"""Lookups of host names: one at a time for each host, and hosts that organizations choose in threads of their own."""

import asyncio
import contextvars
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

CHOSEN_HOST_THREADS = 8
"""Chosen hosts that a process looks up at the same time."""

_chosen_host_threads = ThreadPoolExecutor(CHOSEN_HOST_THREADS, "lookup")


class NameLookup:
    """The addresses of one host. Calls that connect at the same time share a lookup.

    The system's resolver has no time-out, so that a lookup can run longer than its calls. It occupies one thread. The
    host of OpenAI is never looked up in a thread that a chosen host can occupy.
    """

    def __init__(self, host: str, port: int, *, is_chosen: bool) -> None:
        self._host, self._port, self._is_chosen = host, port, is_chosen
        self._running: asyncio.Task[list[str]] | None = None

    async def find(self) -> list[str]:
        """Return the addresses. Raises OSError and UnicodeError, as the system's resolver does."""
        if self._running is None or self._running.done():
            # A lookup belongs to several calls. In the context of one, its task would keep that call in memory.
            self._running = asyncio.create_task(self._find(), context=contextvars.Context())
            self._running.add_done_callback(_ignore_error)
        return await asyncio.shield(self._running)

    async def _find(self) -> list[str]:
        if not self._is_chosen:
            return await resolve(self._host, self._port)
        return await asyncio.get_running_loop().run_in_executor(_chosen_host_threads, self._resolve_in_thread)

    def _resolve_in_thread(self) -> list[str]:
        # SOCK_STREAM, because getaddrinfo would otherwise return each address once for each type of socket.
        return _addresses(socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM))


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host that the operator has set."""
    return _addresses(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _addresses(found: Iterable[tuple[Any, ...]]) -> list[str]:
    return [str(address[0]) for *_, address in found]


def _ignore_error(lookup: "asyncio.Task[list[str]]") -> None:
    """Mark the error as seen: asyncio logs one for which no call waits any more."""
    if not lookup.cancelled():
        lookup.exception()
