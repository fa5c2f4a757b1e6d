"""Idle connections to OpenAI expire, and the pool shrinks."""

import asyncio

import pytest

from glific_gpt.network.http_client import KEEPALIVE_SECONDS
from glific_gpt.openai import connections
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.runtime import bridge
from tests.openai.test_connections import OK, post, server
from tests.support.deferred import wait_until


async def post_twice(pool: ConnectionPool) -> None:
    # On the loop, both requests look for an idle connection before the first one is answered. In two threads, the
    # second request could start late enough to reuse the connection of the first.
    requests = (pool.request("POST", b"/v1/x", [(b"Host", b"x")], b"{}", 5.0) for _ in range(2))
    await asyncio.gather(*requests)


def test_a_connection_that_was_idle_for_too_long_is_not_reused() -> None:
    with server(OK, OK) as (pool, used):
        post(pool)
        pool._idle[-1].idle_since -= KEEPALIVE_SECONDS
        post(pool)
        assert used == [0, 1]


def test_connections_that_are_no_longer_needed_are_closed_without_another_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "KEEPALIVE_SECONDS", 0.2)
    with server(OK, OK) as (pool, used):
        bridge.await_(post_twice(pool))
        assert sorted(used) == [0, 1]
        idle = [*pool._idle]
        wait_until(lambda: not pool._idle)
        assert [each.is_open for each in idle] == [False, False]


def test_a_key_keeps_a_limited_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_IDLE_CONNECTIONS", 1)
    with server(OK, OK, OK) as (pool, _):
        bridge.await_(post_twice(pool))
        assert len(pool._idle) == 1
        post(pool, key=b"sk-bob")
        assert len(pool._idle) == 2
