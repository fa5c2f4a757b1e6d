"""Load: calls over kept-open connections from one event loop, each connection asking again when it was answered."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from urllib.parse import urlsplit

import uvloop

from benchmarks.connection import Connection, Measurement
from benchmarks.metrics import Metrics
from benchmarks.targets import Target

RESPONSE_TIMEOUT_SECONDS = 60
"""How long answers are waited for when no more calls are made."""

SAMPLE_INTERVAL_SECONDS = 0.5


@dataclass(frozen=True)
class Load:
    """How much is asked."""

    at_once: int
    seconds: float
    """For how long calls are made."""
    ramp: float = 0.0
    """Seconds over which the first calls are spread; 0 makes them all at the same moment."""
    warm_up: float = 0.0
    """Seconds of the same before anything is measured."""


def measure(targets: Sequence[Target], load: Load, meanwhile: Callable[[], object] = lambda: None) -> Metrics:
    """From a process of its own, whose work does not stand in the way of `meanwhile`, done twice a second."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pending = pool.submit(run_load, targets, load)
        while not pending.done():
            meanwhile()
            wait([pending], SAMPLE_INTERVAL_SECONDS)
        return pending.result()


def run_load(targets: Sequence[Target], load: Load) -> Metrics:
    """From this process."""
    if load.warm_up:
        uvloop.run(_send_requests(targets, Load(load.at_once, load.warm_up)))
    course = uvloop.run(_send_requests(targets, load))
    return Metrics.of(course.ended, course.milliseconds, course.failures, load.ramp, load.seconds)


async def _send_requests(targets: Sequence[Target], load: Load) -> Measurement:
    course = Measurement(targets, time.perf_counter(), load.seconds)
    address = urlsplit(targets[0].url)
    asking = [
        asyncio.create_task(
            _use_connections(course, (str(address.hostname), address.port or 80), number / load.at_once * load.ramp)
        )
        for number in range(load.at_once)
    ]
    _, unanswered = await asyncio.wait(asking, timeout=load.seconds + RESPONSE_TIMEOUT_SECONDS)
    for each in unanswered:
        course.failures["unanswered"] += 1
        each.cancel()
    return course


async def _use_connections(course: Measurement, address: tuple[str, int], wait: float) -> None:
    """Over one connection, or a new one where that was closed, until the time is over."""
    await asyncio.sleep(wait)
    loop = asyncio.get_running_loop()
    while not course.is_over():
        try:
            _, connection = await loop.create_connection(lambda: Connection(course), *address)
            await connection.closed
        except OSError:
            course.failures["no connection"] += 1
            await asyncio.sleep(0.1)
