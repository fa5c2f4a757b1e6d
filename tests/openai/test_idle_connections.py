"""Idle connections to OpenAI expire, and the pool shrinks."""

import asyncio

from glific_gpt.network.http_client import KEEPALIVE_SECONDS
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.runtime import bridge
from tests.openai.test_connections import OK, post, server


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


def test_a_connection_that_is_no_longer_needed_is_closed() -> None:
    with server(OK, OK, OK) as (pool, used):
        bridge.await_(post_twice(pool))
        assert sorted(used) == [0, 1]
        oldest = pool._idle[0]
        oldest.idle_since -= KEEPALIVE_SECONDS + 1
        post(pool)
        assert not oldest.is_open
        assert oldest not in pool._idle
