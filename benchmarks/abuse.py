"""Memory of the server under abuse: endless replies of the upstream, and half-sent bodies of unknown callers.

Run `python -m benchmarks.abuse`. It prints one JSON object, and changes neither the results nor the report.
"""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.error import HTTPError
from urllib.parse import urlsplit

from benchmarks import server
from benchmarks.databases import sqlite_database
from benchmarks.memory import PeakMemory
from benchmarks.programs import raise_open_file_limit
from benchmarks.targets import Target
from glific_gpt.glific.signature import sign
from tests.support.programs import Program

ENDLESS_REPLIES = 3
HALF_SENT_BODIES = 1000
ANNOUNCED_BYTES = 1024 * 1024
SENT_BYTES = 900 * 1024
SETTLE_SECONDS = 3.0
CALLERS: dict[str, Callable[[], str]] = {
    "without authentication": lambda: "X-None: none",
    "with a wrong token": lambda: "Authorization: Bearer wrong",
    "with a forged signature": lambda: f"X-Glific-Signature: {sign('wrong', b'', int(time.time()))}",
}


def main() -> None:
    raise_open_file_limit()
    with endless_upstream() as upstream, sqlite_database() as url:
        environ = server.build_environment(url, upstream)
        server.migrate(environ)
        target = server.create_organization(environ)
        measured: dict[str, object] = {}
        with server.run_server(environ) as program:
            measured["endless replies"] = measure_endless_replies(program, target)
        for name, header in CALLERS.items():
            with server.run_server(environ) as program:
                measured[f"half-sent bodies {name}"] = measure_half_sent_bodies(program, target, header())
        print(json.dumps(measured, indent=2))


def measure_endless_replies(program: Program, target: Target) -> dict[str, object]:
    before, outcomes = resident_mb(program), []
    peak = PeakMemory(program.process.pid)
    for _ in range(ENDLESS_REPLIES):
        with sampling(peak):
            outcomes.append(call(target))
    time.sleep(SETTLE_SECONDS)
    return {
        "before_mb": before,
        "peak_mb": round(peak.rss_mb),
        "afterwards_mb": resident_mb(program),
        "outcomes": outcomes,
    }


def measure_half_sent_bodies(program: Program, target: Target, header: str) -> dict[str, object]:
    """Open the connections, send most of each body, and wait. The memory is that of the whole time."""
    before, address = resident_mb(program), urlsplit(target.url)
    peak = PeakMemory(program.process.pid)
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n{header}\r\nContent-Length: {ANNOUNCED_BYTES}\r\n"
    )
    request = f"{head}\r\n".encode() + b"x" * SENT_BYTES
    with ExitStack() as stack, sampling(peak):
        for _ in range(HALF_SENT_BODIES):
            wire = stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0), 1))
            with suppress(OSError):  # the server may refuse the connection, or stop reading
                wire.sendall(request)
        time.sleep(SETTLE_SECONDS)
        held = resident_mb(program)
    return {"before_mb": before, "peak_mb": round(peak.rss_mb), "held_mb": held}


def call(target: Target) -> str:
    """Return the error code of a call, or the kind of its failure."""
    request = urllib.request.Request(target.url, json.dumps(target.body).encode(), target.headers)  # noqa: S310
    try:
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - a program started here
    except HTTPError as error:
        return str(json.load(error)["error_code"])
    except OSError as error:
        return type(error).__name__
    return "ok"


def resident_mb(program: Program) -> int:
    memory = PeakMemory(program.process.pid)
    memory.sample()
    return round(memory.rss_mb)


@contextmanager
def sampling(peak: PeakMemory) -> Iterator[None]:
    """Sample the memory in a thread while the block runs."""
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(0.05):
            peak.sample()

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        peak.sample()


@contextmanager
def endless_upstream() -> Iterator[str]:
    """Yield the base URL of an upstream with endless replies."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept_connections, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)


def accept_connections(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            wire, _ = listener.accept()
            threading.Thread(target=send_endlessly, args=(wire,), daemon=True).start()


def send_endlessly(wire: socket.socket) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with wire, suppress(OSError):
        wire.recv(65536)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            wire.sendall(chunk)


if __name__ == "__main__":
    main()
