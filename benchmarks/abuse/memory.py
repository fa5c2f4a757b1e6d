"""Attacks on memory: endless replies of the upstream, and half-sent bodies of unknown callers."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

from benchmarks import upstreams
from benchmarks.abuse.setting import OTHER, Measured, Setting, key_of
from benchmarks.upstream import ANSWER
from benchmarks.webhook_calls import send
from glific_gpt.glific.signature import sign

ENDLESS_REPLIES = 3
ENDLESS_BYTES = 64 * 1024 * 1024
"""Bytes of an endless reply after which nothing follows, because an older server keeps them in several copies."""
HALF_SENT_BODIES = 1000
ANNOUNCED_BYTES = 1024 * 1024
SENT_BYTES = 900 * 1024
SETTLE_SECONDS = 2.0
CALLERS: dict[str, Callable[[], str]] = {
    "without a token": lambda: "X-None: none",
    "with a wrong token": lambda: "Authorization: Bearer wrong",
    "with a forged signature": lambda: f"X-Glific-Signature: {sign('wrong', b'', int(time.time()))}",
}


def measure_endless_replies(setting: Setting) -> Measured:
    with endless_upstream() as upstream, setting.observed(upstream) as measured:
        for contact in range(ENDLESS_REPLIES):
            measured.add([asyncio.run(send(setting.attacker, 1000 + contact))])
    return measured


def measure_half_sent_bodies(caller: str) -> Callable[[Setting], Measured]:
    """Return the attack of this kind of unknown callers."""

    def measure(setting: Setting) -> Measured:
        with upstreams.run_fast_upstream() as upstream, setting.observed(upstream) as measured:
            measured.replies["half-sent"] = send_halves(setting.attacker.url, CALLERS[caller]())
        return measured

    return measure


def send_halves(url: str, header: str) -> int:
    """Open the connections, send most of each body, and wait. Return how many bodies were sent so far."""
    address, sent = urlsplit(url), 0
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n{header}\r\nContent-Length: {ANNOUNCED_BYTES}\r\n"
    )
    request = f"{head}\r\n".encode() + b"x" * SENT_BYTES
    with ExitStack() as stack:
        for _ in range(HALF_SENT_BODIES):
            with suppress(OSError):  # the server may refuse the connection, or stop reading
                wire = stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0), 1))
                wire.sendall(request)
                sent += 1
        time.sleep(SETTLE_SECONDS)
    return sent


@contextmanager
def endless_upstream() -> Iterator[str]:
    """Yield the base URL of an upstream with endless replies, and short ones for the other organization."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept_connections, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)


def _accept_connections(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            wire, _ = listener.accept()
            threading.Thread(target=_reply, args=(wire,), daemon=True).start()


def _reply(wire: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    with wire, suppress(OSError):
        if key_of(OTHER).encode() in wire.recv(65536):
            wire.sendall(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
            return
        wire.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(ENDLESS_BYTES // 0x10000):
            wire.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        wire.recv(1)  # until the server closes the connection
