"""Concurrent calls."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2


def call_concurrently(count: int, call: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """Start this many calls together, each with its number. Returns their replies."""
    start = Barrier(count)

    def wait_and_call(number: int) -> httpx2.Response:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_call, range(count)))
