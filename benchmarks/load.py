"""Load: the same POST over kept-open connections, from one event loop, which costs little itself."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Result:
    """What was measured."""

    calls: int
    failures: int
    """Answers other than 200."""
    seconds: float
    milliseconds: list[float]
    """Of each call, sorted."""

    @property
    def per_second(self) -> float:
        return self.calls / self.seconds

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p99(self) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * 0.99))]


def post(url: str, headers: dict[str, str], body: bytes, *, at_once: int, calls: int) -> Result:
    """Sends that many calls, that many at once."""
    return asyncio.run(_post(url, _request(url, headers, body), at_once, calls))


async def _post(url: str, request: bytes, at_once: int, calls: int) -> Result:
    parts = urlsplit(url)
    times: list[float] = []
    failures = [0]
    left = iter(range(calls))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for _ in left:
            start = time.perf_counter()
            writer.write(request)
            failures[0] += await _status(reader) != 200
            times.append((time.perf_counter() - start) * 1000)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return Result(len(times), failures[0], time.perf_counter() - start, sorted(times))


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
    await reader.readexactly(length)
    return int(lines[0].split()[1])


def _request(url: str, headers: dict[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
