"""Deferred calls of one organization while OpenAI is slow for others: `python -m benchmarks.slow_organizations`.

Slow organizations send many `async` calls each, and OpenAI takes long for them. Meanwhile another
organization, for which OpenAI answers immediately, makes one call after another. Prints how long its flows wait for
their answers. Processes and databases are real. OpenAI and Glific are stand-ins over sockets.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import upstreams
from benchmarks.durability import add_organization, create_environment
from benchmarks.memory import PeakMemory, read_cpu_seconds
from benchmarks.programs import raise_open_file_limit
from benchmarks.webhook_calls import Caller, send
from tests.support.glific_stand_in import GlificStandIn
from tests.support.programs import ROOT
from tests.support.server import TestOrganization

DATABASES = ("sqlite", "postgresql")
WORKERS = ("inline", "separate")
PAUSE_SECONDS = 0.5
"""Time between an answer and the next call of the organization that is not slow."""
POLL_SECONDS = 0.01
FULL_SECONDS = 10.0
"""How long the other one continues when all calls of the slow ones are accepted."""
TIMEOUT_SECONDS = 120.0
"""How long it waits for an answer."""
OTHER_KEY = "sk-proj-other-0123456789-ther"


@dataclass
class Waits:
    """How long the calls of one organization took until their flows were resumed."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    without_answer: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slow_organizations", description=__doc__)
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--organizations", type=int, action="append", help="Slow organizations. Default: 4, 8, 20.")
    parser.add_argument("--calls", type=int, default=60, help="Calls of each slow organization.")
    parser.add_argument("--seconds", type=float, default=40.0, help="Seconds that OpenAI takes for them.")
    parser.add_argument("--processes", type=int, default=1, help="Number of server processes.")
    parser.add_argument("--worker", choices=WORKERS, default="inline", help="Process that does deferred work.")
    parser.add_argument("--folder", type=Path, default=ROOT, help="Checkout to measure.")
    options = parser.parse_args()
    raise_open_file_limit()
    for database in options.database or DATABASES:
        for organizations in options.organizations or (4, 8, 20):
            print(json.dumps(measure(database, organizations, options)), flush=True)


def measure(database: str, organizations: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the waiting times of the other organization's flows, and the memory and CPU time of the deferred work."""
    with (
        upstreams.run_slow_upstream_for_most(options.seconds, OTHER_KEY) as upstream,
        create_environment(database, processes=options.processes, worker=options.worker) as environment,
    ):
        environment.settings["openai_base_url"] = upstream
        environment.folder = options.folder.resolve()
        url = environment.start_server()
        worker = environment.start_worker() if options.worker == "separate" else environment.running[0]
        slow = [add_organization(environment, f"slow-{number}", url) for number in range(organizations)]
        other = add_organization(environment, "other", url)
        other.set_key(OTHER_KEY)
        memory = PeakMemory(worker.process.pid)
        callers = [_caller(each) for each in slow]
        waits = asyncio.run(call_all(callers, _caller(other), environment.glific, options.calls, memory.sample))
        return {
            "database": database,
            "slow_organizations": organizations,
            "calls_of_each": options.calls,
            "upstream_seconds": options.seconds,
            "processes": options.processes,
            "worker": options.worker,
            "other_answered": len(waits.seconds),
            "other_refused": waits.refused,
            "other_without_answer": waits.without_answer,
            "other_median_s": round(statistics.median(waits.seconds), 2) if waits.seconds else None,
            "other_max_s": round(max(waits.seconds), 2) if waits.seconds else None,
            "peak_mb": round(memory.rss_mb),
            "cpu_s": round(read_cpu_seconds(worker.process.pid), 1),
        }


def _caller(organization: TestOrganization) -> Caller:
    return Caller(organization.url, organization.token, "async")


async def call_all(
    slow: Sequence[Caller],
    other: Caller,
    glific: GlificStandIn,
    calls: int,
    sample: Callable[[], object] = lambda: None,
) -> Waits:
    """Return how long the other organization waited for its answers, one call after another.

    `sample` is called after each of them. The slow organizations send at the same time, each one call after another.
    The other one continues for a while when all their calls are accepted.
    """
    filling = asyncio.gather(*(_fill(caller, calls) for caller in slow))
    waits, full_at = Waits(), float("inf")
    while time.monotonic() < full_at + FULL_SECONDS:
        await _call_and_wait(other, glific, waits)
        sample()
        await asyncio.sleep(PAUSE_SECONDS)
        if filling.done() and full_at == float("inf"):
            full_at = time.monotonic()
    return waits


async def _call_and_wait(caller: Caller, glific: GlificStandIn, waits: Waits) -> None:
    sent_at = time.monotonic()
    reply = await send(caller, 1)
    if reply.outcome != "pending":
        waits.refused += 1
        return
    while time.monotonic() - sent_at < TIMEOUT_SECONDS:
        for resumption in reversed(glific.resumptions):
            if resumption.result["call_id"] == reply.call_id:
                waits.seconds.append(resumption.at - sent_at)
                return
        await asyncio.sleep(POLL_SECONDS)
    waits.without_answer += 1


async def _fill(caller: Caller, calls: int) -> None:
    """Send this number of calls, each until it is accepted."""
    for contact in range(calls):
        while (await send(caller, 1000 + contact)).outcome != "pending":
            await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
