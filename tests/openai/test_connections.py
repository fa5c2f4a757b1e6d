"""The connection pool: reuse of open connections, and detection of every kind of incomplete reply."""

import asyncio
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import pytest

from glific_gpt.errors import Overloaded
from glific_gpt.openai import causes
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.openai.http_response import HttpResponse
from glific_gpt.openai.name_lookups import CHOSEN_HOST_THREADS
from glific_gpt.runtime import bridge, event_loop
from tests.support.network_faults import dropping_listener
from tests.support.platforms import requires_linux

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""The value of SO_LINGER that makes `close` reset a connection."""
HOSTS: list[tuple[str, Any]] = [("chosen.example", lambda _: True), ("api.openai.example", None)]
"""Hosts with the filters of their addresses. That of OpenAI has none."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def server(*replies: bytes, closes: bool = False, resets: bool = False) -> Iterator[tuple[ConnectionPool, list[int]]]:
    """Answer each request with the next reply. Yield the pool and the connection number of each request."""
    used: list[int] = []
    pending = list(replies)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(wire: socket.socket, number: int) -> None:
            with wire, suppress(OSError):
                while pending and wire.recv(65536):
                    used.append(number)
                    wire.sendall(pending.pop(0))
                    if resets:
                        time.sleep(0.2)  # the client would not read a reply that arrives together with the reset
                        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    if closes or resets:
                        return

        def listen() -> None:
            with suppress(OSError):
                for number in range(10):
                    wire, _ = listener.accept()
                    threading.Thread(target=serve, args=(wire, number), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield ConnectionPool(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), used
        listener.shutdown(socket.SHUT_RDWR)


def post(pool: ConnectionPool, timeout_seconds: float = 5.0, *, key: bytes = b"") -> HttpResponse:
    headers = [(b"Host", b"x"), *([(b"Authorization", b"Bearer " + key)] if key else [])]
    return bridge.await_(pool.request("POST", b"/v1/x", headers, b"{}", timeout_seconds))


def test_a_connection_is_used_again_for_the_same_key_only() -> None:
    with server(*[OK] * 5) as (pool, used):
        for key in (b"sk-alice", b"sk-bob", b"sk-alice", b"sk-bob", b"sk-alice"):
            post(pool, key=key)
        assert used == [0, 1, 0, 1, 0]


def test_a_second_reply_that_comes_late_never_reaches_another_organization() -> None:
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pool = ConnectionPool(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

        def serve(wire: socket.socket) -> None:
            with wire:
                wire.recv(65536)
                wire.sendall(OK)
                with suppress(OSError):
                    wire.recv(65536)  # the next request on this connection, which another call has sent
                    wire.sendall(poison)

        def listen() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        post(pool, key=b"sk-alice")
        assert bytes(post(pool, key=b"sk-bob").body) == b"{}"
        listener.shutdown(socket.SHUT_RDWR)


def test_an_idle_connection_keeps_no_key() -> None:
    with server(OK) as (pool, _):
        post(pool, key=b"sk-alice")
        assert not any(b"sk-alice" in value for value in vars(pool._idle[0]).values() if isinstance(value, bytes))


def test_an_open_connection_is_reused() -> None:
    with server(OK, OK, OK) as (pool, used):
        assert [bytes(post(pool).body) for _ in range(3)] == [b"{}"] * 3
        assert used == [0, 0, 0]


def test_a_connection_that_the_server_closed_is_not_reused() -> None:
    with server(OK, OK, closes=True) as (pool, used):
        post(pool)
        time.sleep(0.2)
        post(pool)
        assert used == [0, 1]


def test_a_connection_with_connection_close_is_not_reused() -> None:
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    with server(closing, OK) as (pool, used):
        post(pool)
        post(pool)
        assert used == [0, 1]


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n", b"[1]"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
    ids=["after an interim response", "chunked", "until the connection closes"],
)
def test_it_reads_every_kind_of_message_length(sent: bytes, body: bytes) -> None:
    with server(sent, closes=True) as (pool, _):
        assert bytes(post(pool).body) == body


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", httpx2.ConnectError),
        (b"HTTP/1.1 200 O", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", httpx2.DecodingError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", httpx2.DecodingError),
        (b"no HTTP at all\r\n\r\n", httpx2.DecodingError),
    ],
    ids=["no reply", "incomplete headers", "incomplete body", "incomplete chunk", "not HTTP"],
)
def test_a_missing_reply_and_an_incomplete_reply_raise_different_errors(sent: bytes, error: type[Exception]) -> None:
    with server(sent, closes=True) as (pool, _), pytest.raises(error):
        post(pool)


def test_a_reply_that_switches_to_another_protocol_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    switching = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    with server(switching) as (pool, _), pytest.raises(httpx2.DecodingError, match="another protocol"):
        post(pool)
    assert not caplog.records


def test_a_reply_whose_end_is_the_end_of_the_connection_is_incomplete_after_a_reset() -> None:
    with server(b"HTTP/1.1 200 OK\r\n\r\n{", resets=True) as (pool, _), pytest.raises(httpx2.DecodingError):
        post(pool)


def test_an_interim_response_that_arrives_alone_is_not_the_response() -> None:
    response = HttpResponse()
    response.feed(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    assert not response.is_complete
    response.feed(OK)
    assert (response.is_complete, response.status, bytes(response.body)) == (True, 200, b"{}")
    assert response.headers == [(b"Content-Length", b"2")]


def test_a_time_out_that_follows_the_reply_changes_nothing() -> None:
    async def receive_and_time_out(pool: ConnectionPool) -> HttpResponse:
        connection = pool._idle[0]
        reply = asyncio.create_task(connection.send(b"x", 5.0))
        await asyncio.sleep(0)
        # The event loop may call both before it continues the call that waits for the reply.
        connection.data_received(OK)
        connection._time_out()
        return await reply

    with server(OK, OK) as (pool, _):
        post(pool)
        assert bytes(bridge.await_(receive_and_time_out(pool)).body) == b"{}"


@requires_linux
def test_it_tries_the_next_address_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_to_two(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        hosts = ("127.0.0.2", "127.0.0.1") if host == "far.example" else (host,)
        return [found for each in hosts for found in resolve(each, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve_to_two)
    with server(OK) as (pool, _), dropping_listener("127.0.0.2", pool._port):
        two = ConnectionPool(f"http://far.example:{pool._port}/v1")
        # Not uvloop, which earlier tests may have installed: it does not resolve with `socket.getaddrinfo`.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            reply = runner.run(two.request("POST", b"/v1/x", [(b"Host", b"x")], b"{}", 10.0))
        assert reply.status == 200


def test_a_host_is_connected_to_at_allowed_addresses_only(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def resolve_to_both(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        hosts = ("127.0.0.3", "127.0.0.1") if host == "llm.example" else (host,)
        return [found for each in hosts for found in resolve(each, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve_to_both)
    with server(OK) as (pool, used), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:

        def ask(*allowed: str) -> HttpResponse:
            asked = ConnectionPool(f"http://llm.example:{pool._port}/v1", lambda address: address in allowed)
            return runner.run(asked.request("POST", b"/v1/x", [(b"Host", b"x")], b"{}", 5.0))

        with pytest.raises(httpx2.ConnectError) as refused:
            ask()
        assert causes.describe_connection(refused.value) == "the host has a private address"
        assert used == []
        assert ask("127.0.0.1").status == 200


def test_a_host_whose_name_resolves_slowly_occupies_one_thread_and_delays_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve, lookups, answer = socket.getaddrinfo, list[Any](), threading.Event()

    def resolve_slowly(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != "slow.example":
            return resolve("127.0.0.1", port, *arguments, **options)
        lookups.append(host)
        answer.wait(30)
        raise socket.gaierror

    async def ask_all(port: int) -> list[Any]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))  # what is left for the host of OpenAI on a busy machine
        slow = ConnectionPool(f"http://slow.example:{port}/v1", lambda _: True)
        fast = [ConnectionPool(f"http://{host}:{port}/v1", allows) for host, allows in HOSTS]
        asked = [slow.request("POST", b"/v1/x", [], b"{}", 0.3) for _ in range(2 * CHOSEN_HOST_THREADS)]
        asked += [pool.request("POST", b"/v1/x", [], b"{}", 5.0) for pool in fast]
        return await asyncio.gather(*asked, return_exceptions=True)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
    with server(OK, OK) as (pool, _), asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        try:
            *late, chosen, openai = runner.run(ask_all(pool._port))
        finally:
            answer.set()
    assert {type(error) for error in late} == {httpx2.ConnectTimeout}
    assert (chosen.status, openai.status, len(lookups)) == (200, 200, 1)


def test_a_refused_connection_raises_connect_error() -> None:
    with pytest.raises(httpx2.ConnectError):
        post(ConnectionPool("http://127.0.0.1:1/v1"))


def test_an_impossible_host_name_raises_connect_error() -> None:
    with pytest.raises(httpx2.ConnectError):
        post(ConnectionPool(f"http://{'a' * 64}.example/v1"))


def test_a_process_without_file_descriptors_does_not_blame_openai() -> None:
    with server(OK) as (pool, used):
        event_loop.loop()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as lowest_unused:
            first_unused = lowest_unused.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (first_unused, hard))
        try:
            with pytest.raises(Overloaded):
                post(pool)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert used == []


def test_a_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        with pytest.raises(httpx2.ReadTimeout):
            post(ConnectionPool(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), 0.3)
        assert time.monotonic() - before < 10


@contextmanager
def slow_reader(reply: bytes, *, reads: bool) -> Iterator[tuple[ConnectionPool, list[bytes]]]:
    """Reply after the whole body, or to the head alone, and keep what was received."""
    received: list[bytes] = []
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError), listener.accept()[0] as wire:
                head = wire.recv(1000).partition(b"\r\n\r\n")
                length = int(head[0].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = bytearray(head[2])
                while reads and len(body) < length and (data := wire.recv(65536)):
                    body += data
                received.append(bytes(body))
                wire.sendall(reply)
                ended.wait(10)  # to close a connection with unread data would reset it before the client has the reply

        threading.Thread(target=serve, daemon=True).start()
        yield ConnectionPool(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), received
        ended.set()


LARGE = bytes(range(256)) * 40_000


def upload(pool: ConnectionPool, seconds: float) -> HttpResponse:
    return bridge.await_(pool.request("POST", b"/v1/x", [(b"Authorization", b"Bearer k")], LARGE, seconds))


def test_a_large_body_arrives_complete() -> None:
    with slow_reader(OK, reads=True) as (pool, received):
        assert upload(pool, 10).status == 200
        assert received == [LARGE]


def test_a_reply_before_the_end_of_a_large_body_ends_the_upload_and_the_connection() -> None:
    with slow_reader(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}", reads=False) as (pool, received):
        assert upload(pool, 10).status == 413
        assert len(received[0]) < len(LARGE)
        assert not pool._idle


def test_an_upload_ends_at_its_time_out() -> None:
    # Nothing reads the body, so that the buffers of the kernel fill up.
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(httpx2.ReadTimeout):
        upload(ConnectionPool(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"), 0.3)
