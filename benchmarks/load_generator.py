"""Load generator: keeps a number of connections open from one event loop and sends calls over each of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from urllib.parse import urlsplit

import uvloop

from benchmarks.connection import Connection, Measurement
from benchmarks.measurement import Metrics
from benchmarks.targets import Target

RESPONSE_TIMEOUT_SECONDS = 60
"""Time to wait for responses after the last call was sent."""

SAMPLE_INTERVAL_SECONDS = 0.5


@dataclass(frozen=True)
class Load:
    """A number of concurrent calls for a time."""

    concurrency: int
    seconds: float
    """Time during which calls are sent."""
    ramp_seconds: float = 0.0
    """Time over which the first calls are spread. With 0 all of them are sent at the same moment."""
    warm_up_seconds: float = 0.0
    """Time of the same load before the measurement."""


def measure(targets: Sequence[Target], load: Load, sample: Callable[[], object] = lambda: None) -> Metrics:
    """Run the load in another process, and call `sample` twice a second meanwhile."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pending = pool.submit(run_load, targets, load)
        while not pending.done():
            sample()
            wait([pending], SAMPLE_INTERVAL_SECONDS)
        return pending.result()


def run_load(targets: Sequence[Target], load: Load) -> Metrics:
    """Run the load in this process."""
    if load.warm_up_seconds:
        uvloop.run(_send_requests(targets, Load(load.concurrency, load.warm_up_seconds)))
    measurement = uvloop.run(_send_requests(targets, load))
    return Metrics.from_samples(
        measurement.ended, measurement.milliseconds, measurement.failures, load.ramp_seconds, load.seconds
    )


async def _send_requests(targets: Sequence[Target], load: Load) -> Measurement:
    measurement = Measurement(targets, time.perf_counter(), load.seconds)
    url = urlsplit(targets[0].url)
    address = (str(url.hostname), url.port or 80)
    tasks = [
        asyncio.create_task(_use_connections(measurement, address, number / load.concurrency * load.ramp_seconds))
        for number in range(load.concurrency)
    ]
    _, unanswered = await asyncio.wait(tasks, timeout=load.seconds + RESPONSE_TIMEOUT_SECONDS)
    for task in unanswered:
        measurement.failures["unanswered"] += 1
        task.cancel()
    return measurement


async def _use_connections(measurement: Measurement, address: tuple[str, int], delay: float) -> None:
    """Send requests over one connection until the time is over, and reconnect when the connection is closed."""
    await asyncio.sleep(delay)
    loop = asyncio.get_running_loop()
    while not measurement.is_over():
        try:
            _, connection = await loop.create_connection(lambda: Connection(measurement), *address)
            await connection.closed
        except OSError:
            measurement.failures["no connection"] += 1
            await asyncio.sleep(0.1)
