"""One connection of the load generator: asks, waits for the whole answer, and asks again until the time is over."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks import http_responses
from benchmarks.targets import Target, round_robin


class Measurement:
    """The calls of one measurement, over all of its connections."""

    def __init__(self, targets: Sequence[Target], begun: float, seconds: float) -> None:
        self.requests = round_robin(targets)
        self.begun = begun
        self.seconds = seconds
        self.ended: list[float] = []
        """When each call that was answered with 200 ended, in seconds since the beginning."""
        self.milliseconds: list[float] = []
        """How long each of these took."""
        self.failures: Counter[str] = Counter()
        """The others, by their status or what happened to their connection."""

    def is_over(self) -> bool:
        return time.perf_counter() - self.begun >= self.seconds

    def add(self, asked: float, status: int) -> None:
        now = time.perf_counter()
        if status == 200:
            self.ended.append(now - self.begun)
            self.milliseconds.append((now - asked) * 1000)
        else:
            self.failures[str(status)] += 1


class Connection(asyncio.Protocol):
    """A protocol, as streams cost several times as much for each call."""

    def __init__(self, course: Measurement) -> None:
        self._course = course
        self._received = b""
        self._asked: float | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # what create_connection makes
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        reply = http_responses.parse_response(self._received)
        if reply is None or self._asked is None:
            return
        self._course.add(self._asked, reply.status)
        self._received, self._asked = b"", None
        if reply.closes:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if self._asked is not None:
            self._course.failures["connection lost"] += 1
        if not self.closed.done():
            self.closed.set_result(None)

    def _ask(self) -> None:
        if self._course.is_over():
            self._transport.close()
            return
        self._asked = time.perf_counter()
        self._transport.write(next(self._course.requests))
