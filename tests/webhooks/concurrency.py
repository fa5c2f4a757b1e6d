"""Many calls at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2


def call_concurrently(calls: int, call: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """The replies to that many calls, each given its number, that start together."""
    start = Barrier(calls)

    def wait_and_call(number: int) -> httpx2.Response:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(wait_and_call, range(calls)))
