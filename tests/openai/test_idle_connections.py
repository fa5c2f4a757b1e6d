"""Idle connections to OpenAI expire, and the pool shrinks."""

from concurrent.futures import ThreadPoolExecutor

from glific_gpt.http_client import KEEPALIVE_SECONDS
from tests.openai.test_connections import OK, post, server


def test_a_connection_that_was_idle_for_too_long_is_not_reused() -> None:
    with server(OK, OK) as (pool, used):
        post(pool)
        pool._idle[-1].idle_since -= KEEPALIVE_SECONDS
        post(pool)
        assert used == [0, 1]


def test_a_connection_that_is_no_longer_needed_is_closed() -> None:
    with server(OK, OK, OK) as (pool, used), ThreadPoolExecutor(2) as threads:
        list(threads.map(post, [pool, pool]))
        assert sorted(used) == [0, 1]
        oldest = pool._idle[0]
        oldest.idle_since -= KEEPALIVE_SECONDS + 1
        post(pool)
        assert not oldest.is_open
        assert oldest not in pool._idle
