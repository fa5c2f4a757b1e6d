"""One connection of the load generator: it sends a request, waits for the whole response, and repeats."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks import http_responses
from benchmarks.targets import Target, round_robin


class Measurement:
    """The calls of one measurement, over all of its connections."""

    def __init__(self, targets: Sequence[Target], started_at: float, seconds: float) -> None:
        self.requests = round_robin(targets)
        self.started_at = started_at
        self.seconds = seconds
        self.ended: list[float] = []
        """Times at which the calls with status 200 ended, in seconds since the start."""
        self.milliseconds: list[float] = []
        """Duration of each of these calls."""
        self.failures: Counter[str] = Counter()
        """Number of other calls, by status or by connection error."""

    def is_over(self) -> bool:
        return time.perf_counter() - self.started_at >= self.seconds

    def add(self, sent_at: float, status: int) -> None:
        now = time.perf_counter()
        if status == 200:
            self.ended.append(now - self.started_at)
            self.milliseconds.append((now - sent_at) * 1000)
        else:
            self.failures[str(status)] += 1


class Connection(asyncio.Protocol):
    """A connection that sends requests until the measurement is over.

    It is a protocol because asyncio's streams take several times as long for each call.
    """

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._received = b""
        self._sent_at: float | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # the type that create_connection uses
        self._send_request()

    def data_received(self, data: bytes) -> None:
        self._received += data
        response = http_responses.parse_response(self._received)
        if response is None or self._sent_at is None:
            return
        self._measurement.add(self._sent_at, response.status)
        self._received, self._sent_at = b"", None
        if response.closes_connection:
            self._transport.close()
        else:
            self._send_request()

    def connection_lost(self, error: Exception | None) -> None:
        if self._sent_at is not None:
            self._measurement.failures["connection lost"] += 1
        if not self.closed.done():
            self.closed.set_result(None)

    def _send_request(self) -> None:
        if self._measurement.is_over():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._measurement.requests))
