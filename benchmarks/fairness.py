"""Measure the calls of one organization while another sends many: `python -m benchmarks.fairness`.

The server is the production server, and each call has a connection of its own, as Glific's calls have. OpenAI answers
the organization that sends many calls after three seconds, and the other one immediately. OpenAI and Glific are
stand-ins over sockets. `--folder` names the checkout of another revision, so that two can be compared.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import databases, server, upstreams
from benchmarks.measurement import Metrics
from benchmarks.programs import raise_open_file_limit
from benchmarks.webhook_calls import REPLY_TIMEOUT_SECONDS, Caller, Reply, create_caller, send
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.programs import ROOT

UPSTREAM_SECONDS = 3.0
BURST_INTERVAL_SECONDS = 5.0
"""Time between two bursts. The first one is over by then, unless its calls are answered later."""
PAUSE_SECONDS = 0.02
"""Time between two calls of the other organization."""
MODES = ("sync", "async", "auto")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

SLOW_KEY, IMMEDIATE_KEY = "sk-proj-benchmark-slow", "sk-proj-benchmark-immediate"


@dataclass
class Calls:
    """The calls of one organization."""

    ended: list[float] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    """Durations of the answered calls."""
    failures: Counter[str] = field(default_factory=Counter)
    """Number of other calls, by error code."""

    def add(self, reply: Reply) -> None:
        if reply.outcome in {"ok", "pending"}:
            self.ended.append(reply.ended_at)
            self.milliseconds.append(reply.seconds * 1000)
        else:
            self.failures[reply.outcome] += 1

    def summary(self) -> dict[str, Any]:
        metrics = Metrics.from_samples(self.ended, self.milliseconds, self.failures, 0, 0)
        times = {"p50_ms": metrics.p50, "p99_ms": metrics.p99, "max_ms": max(self.milliseconds, default=None)}
        rounded = {name: None if value is None else round(value, 1) for name, value in times.items()}
        return {"answered": metrics.calls, "failures": metrics.failures, **rounded}


def measure(folder: Path, database: str, mode: str, **options: Any) -> dict[str, Any]:
    """Return the calls of both organizations with this mode of the many calls."""
    with (
        _start_server(folder, database, options["processes"], options["deadline"]) as (slow, immediate),
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
    ):
        alone = pool.submit(call_one_by_one, immediate, 2.0).result()
        many: Future[Calls] = pool.submit(send_bursts, slow(mode), options["calls"], options["bursts"])
        seconds = options["bursts"] * BURST_INTERVAL_SECONDS
        beside = pool.submit(call_one_by_one, immediate, seconds).result()
        return {
            "folder": str(folder),
            "database": database,
            "mode": mode,
            "processes": options["processes"],
            "many_calls": many.result().summary(),
            "other_alone": alone.summary(),
            "other_beside_them": beside.summary(),
        }


@contextmanager
def _start_server(folder: Path, database: str, processes: int, deadline: float) -> Iterator[tuple[Any, Caller]]:
    create = databases.list_databases()[DATABASES[database]]
    upstream = upstreams.run_slow_upstream_for_most(UPSTREAM_SECONDS, IMMEDIATE_KEY)
    with create() as url, upstream as openai, GlificStandIn() as glific:
        environ = server.build_environment(
            url, openai, processes=processes, deadline_seconds=deadline, glific_hosts="127.0.0.1"
        )
        server.migrate(environ, folder)
        slow = create_caller(environ, folder, "slow", SLOW_KEY)
        connect = ("glific", "connect", "slow", "--api-url", glific.url, "--phone", PHONE, "--password-stdin")
        server.run_flask(environ, *connect, "--no-verify", stdin=PASSWORD, folder=folder)
        immediate = create_caller(environ, folder, "immediate", IMMEDIATE_KEY)
        with server.run_server(environ, folder):
            yield lambda mode: Caller(slow.url, slow.token, mode), immediate


def call_one_by_one(caller: Caller, seconds: float) -> Calls:
    """Make one call after another for this time."""
    return asyncio.run(_call_one_by_one(caller, seconds))


async def _call_one_by_one(caller: Caller, seconds: float) -> Calls:
    calls, until = Calls(), time.monotonic() + seconds
    while time.monotonic() < until:
        calls.add(await send(caller, 1))
        await asyncio.sleep(PAUSE_SECONDS)
    return calls


def send_bursts(caller: Caller, calls: int, bursts: int) -> Calls:
    """Send this number of calls at the same moment, several times."""
    raise_open_file_limit()
    return asyncio.run(_send_bursts(caller, calls, bursts))


async def _send_bursts(caller: Caller, calls: int, bursts: int) -> Calls:
    result, tasks = Calls(), []
    for burst in range(bursts):
        tasks += [asyncio.create_task(send(caller, 1000 + burst * calls + number)) for number in range(calls)]
        await asyncio.sleep(BURST_INTERVAL_SECONDS)
    done, _ = await asyncio.wait(tasks, timeout=REPLY_TIMEOUT_SECONDS)
    for task in done:
        result.add(task.result())
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fairness", description=__doc__)
    parser.add_argument("--folder", type=Path, action="append", help="Checkout to measure. Repeat it to compare.")
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--mode", choices=MODES, action="append", help="Mode of the many calls. Default: all.")
    parser.add_argument("--calls", type=int, default=1000, help="Number of calls at the same moment.")
    parser.add_argument("--bursts", type=int, default=3, help="How often they are sent.")
    parser.add_argument("--processes", type=int, default=1, help="Number of server processes.")
    parser.add_argument("--deadline", type=float, default=4.5, help="Deadline of a call in seconds.")
    options = parser.parse_args()
    raise_open_file_limit()
    measured = {name: getattr(options, name) for name in ("calls", "bursts", "processes", "deadline")}
    for database in options.database or DATABASES:
        for mode in options.mode or MODES:
            for folder in options.folder or [ROOT]:
                print(json.dumps(measure(folder.resolve(), database, mode, **measured)), flush=True)


if __name__ == "__main__":
    main()
