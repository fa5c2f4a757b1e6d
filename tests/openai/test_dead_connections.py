"""Connections that die without a word cost a call one try at most."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from glific_gpt.openai import connection
from glific_gpt.openai.connection import UNACKNOWLEDGED_MS
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.openai.http_response import HttpResponse
from glific_gpt.runtime import bridge
from tests.openai.test_connections import OK, post
from tests.support.network_faults import FaultyProxy, drop_packets
from tests.support.platforms import requires_linux

CONNECTIONS = 20


class Upstream:
    """A server that answers every request on every connection, and whose connections can be cut."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.ends: list[socket.socket] = []
        self.requests = 0
        self.forget_everything = False
        self.seconds = 0.05
        """Time for each request, so that concurrent ones need connections of their own."""
        self._forgotten: set[socket.socket] = set()
        self._listener = listener
        threading.Thread(target=self._accept, daemon=True).start()

    def forget_connections(self) -> None:
        """Close each of the present connections when its next request arrives, without a reply."""
        self._forgotten = set(self.ends)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                end, _ = self._listener.accept()
                self.ends.append(end)
                threading.Thread(target=self._serve, args=(end,), daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        with suppress(OSError):
            while end.recv(65536):
                if self.forget_everything or end in self._forgotten:
                    end.close()
                    return
                self.requests += 1
                time.sleep(self.seconds)
                end.sendall(OK)


@contextmanager
def upstream() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        server = Upstream(listener)
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for end in server.ends:
                end.close()


def fill(pool: ConnectionPool) -> None:
    """Open many connections, which are idle afterwards."""

    async def send_all() -> list[HttpResponse]:
        requests = (pool.request("POST", b"/v1/x", [(b"Host", b"x")], b"{}", 5.0) for _ in range(CONNECTIONS))
        return list(await asyncio.gather(*requests))

    assert len(bridge.await_(send_all())) == CONNECTIONS
    assert len(pool._idle) == CONNECTIONS


def test_when_one_reused_connection_was_closed_the_call_needs_one_new_one() -> None:
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)
        old, requests = set(pool._idle), server.requests
        server.forget_connections()
        assert bytes(post(pool).body) == b"{}"
        assert not old & set(pool._idle)
        assert (server.requests, len(server.ends)) == (requests + 1, CONNECTIONS + 1)


def test_a_new_connection_that_is_closed_is_an_error() -> None:
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)
        server.forget_everything = True
        with pytest.raises(httpx2.ConnectError):
            post(pool)
        assert len(server.ends) == CONNECTIONS + 1  # one try on a new connection, not more


@requires_linux
def test_a_call_on_a_dead_connection_is_answered_and_later_ones_are_not_delayed() -> None:
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)
        dead = list(server.ends)
        for end in dead:
            drop_packets(end)
        before = time.monotonic()
        assert bytes(post(pool).body) == b"{}"
        assert time.monotonic() - before < 3.5
        assert len(pool._idle) == 1
        before = time.monotonic()
        assert bytes(post(pool).body) == b"{}"
        assert time.monotonic() - before < UNACKNOWLEDGED_MS / 1000


def test_a_time_out_on_a_reused_connection_drops_the_others() -> None:
    with upstream() as server, FaultyProxy("127.0.0.1", server.port) as proxy:
        pool = ConnectionPool(f"http://127.0.0.1:{proxy.port}/v1")
        fill(pool)
        proxy.stop_forwarding()  # what is sent is acknowledged, so only silence tells
        with pytest.raises(httpx2.ReadTimeout):
            post(pool, timeout_seconds=0.2)
        assert not pool._idle


def test_a_slow_model_costs_other_calls_no_connection_that_was_used_meanwhile() -> None:
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)
        server.seconds = 0.25

        async def time_out_beside_others() -> None:
            slow = asyncio.ensure_future(pool.request("POST", b"/v1/x", [], b"{}", 0.02))
            await asyncio.sleep(0.01)
            await asyncio.gather(*(pool.request("POST", b"/v1/x", [], b"{}", 5.0) for _ in range(3)))
            with pytest.raises(httpx2.ReadTimeout):
                await slow
            await asyncio.gather(*(pool.request("POST", b"/v1/x", [], b"{}", 5.0) for _ in range(3)))

        bridge.await_(time_out_beside_others())
        assert len(server.ends) <= CONNECTIONS + 3


@requires_linux
def test_a_probe_that_is_lost_does_not_end_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glific_gpt.openai.connection.ACKNOWLEDGED_AFTER_SECONDS", 0.1)
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)

        async def read_limits() -> list[int]:
            connection = pool._idle[-1]
            reply = asyncio.ensure_future(pool.request("POST", b"/v1/x", [], b"{}", 5.0))
            await asyncio.sleep(0)
            end = connection._transport.get_extra_info("socket")  # type: ignore[union-attr]
            limits = [end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)]
            await reply
            await asyncio.sleep(0.15)
            return [*limits, end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)]

        assert bridge.await_(read_limits()) == [UNACKNOWLEDGED_MS, 0]


def test_a_time_out_on_a_connection_that_has_answered_in_part_keeps_the_others() -> None:
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        fill(pool)
        pool._idle[-1]._reads = 0
        server.seconds = 5  # the time-out comes first, also on a busy machine
        with pytest.raises(httpx2.ReadTimeout):
            bridge.await_(_time_out_after_a_byte(pool))
        assert len(pool._idle) == CONNECTIONS - 1


async def _time_out_after_a_byte(pool: ConnectionPool) -> HttpResponse:
    connection = pool._idle[-1]
    reply = asyncio.ensure_future(pool.request("POST", b"/v1/x", [], b"{}", 0.01))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 200")
    return await reply


@requires_linux
def test_the_limit_for_an_acknowledgement_ends_after_the_last_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ACKNOWLEDGED_AFTER_SECONDS", 0.5)
    with upstream() as server:
        pool = ConnectionPool(f"http://127.0.0.1:{server.port}/v1")
        for _ in range(2):
            post(pool)
        assert limit_of(pool) == UNACKNOWLEDGED_MS
        time.sleep(0.3)
        sent_at = time.monotonic()
        post(pool)
        while limit_of(pool):
            assert time.monotonic() - sent_at < 5
            time.sleep(0.01)
        assert time.monotonic() - sent_at > 0.45
        post(pool)
        assert limit_of(pool) == UNACKNOWLEDGED_MS


def limit_of(pool: ConnectionPool) -> int:
    """Return the TCP_USER_TIMEOUT of the only connection, in milliseconds."""
    (only,) = pool._idle
    assert only._transport
    end = only._transport.get_extra_info("socket")
    return int(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
