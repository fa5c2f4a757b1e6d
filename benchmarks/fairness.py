"""Measure the calls of one organization while another sends many: `python -m benchmarks.fairness`.

The server is the production server, and each call has a connection of its own, as Glific's calls have. OpenAI answers
the organization that sends many calls after three seconds, and the other one immediately. OpenAI and Glific are
stand-ins over sockets. `--folder` names the checkout of another revision, so that two can be compared.
"""

import argparse
import asyncio
import http.client
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
from urllib.parse import urlsplit

from benchmarks import databases, server, upstreams
from benchmarks.metrics import Metrics
from benchmarks.programs import raise_open_file_limit
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.programs import ROOT

UPSTREAM_SECONDS = 3.0
BURST_INTERVAL_SECONDS = 5.0
"""Time between two bursts. The first one is over by then, unless its calls are answered later."""
PAUSE_SECONDS = 0.02
"""Time between two calls of the other organization."""
TIMEOUT_SECONDS = 30.0
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

    def add(self, started_at: float, body: bytes) -> None:
        answer = json.loads(body) if body else {"error_code": "no response"}
        if answer.get("success"):
            self.ended.append(time.monotonic())
            self.milliseconds.append((time.monotonic() - started_at) * 1000)
        else:
            self.failures[str(answer.get("error_code"))] += 1

    def summary(self) -> dict[str, Any]:
        metrics = Metrics.from_samples(self.ended, self.milliseconds, self.failures, 0, 0)
        times = {"p50_ms": metrics.p50, "p99_ms": metrics.p99, "max_ms": max(self.milliseconds, default=None)}
        rounded = {name: None if value is None else round(value, 1) for name, value in times.items()}
        return {"answered": metrics.calls, "failures": metrics.failures, **rounded}


@dataclass(frozen=True)
class Caller:
    """A webhook and the token for it."""

    url: str
    token: str
    mode: str = "sync"

    def request(self, contact: int) -> tuple[str, bytes, dict[str, str]]:
        """Return path, body and headers of a call."""
        body = {"question_text": "What is ORS?", "gpt_model": "gpt-4o-mini", "flow_id": 5, "contact": {"id": contact}}
        path = f"{urlsplit(self.url).path}?mode={self.mode}" if self.mode != "sync" else urlsplit(self.url).path
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Connection": "close"}
        return path, json.dumps(body).encode(), headers


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
        slow = _create_organization(environ, folder, "slow", SLOW_KEY)
        connect = ("glific", "connect", "slow", "--api-url", glific.url, "--phone", PHONE, "--password-stdin")
        server.run_flask(environ, *connect, "--no-verify", stdin=PASSWORD, folder=folder)
        immediate = _create_organization(environ, folder, "immediate", IMMEDIATE_KEY)
        with server.run_server(environ, folder):
            yield lambda mode: Caller(slow.url, slow.token, mode), immediate


def _create_organization(environ: dict[str, str], folder: Path, slug: str, key: str) -> Caller:
    created = server.run_flask(environ, "organizations", "create", slug, "--name", slug, "--json", folder=folder)
    credential = ("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify")
    server.run_flask(environ, *credential, stdin=key, folder=folder)
    return Caller(server.webhook_url(environ, slug), json.loads(created)["webhook_token"])


def call_one_by_one(caller: Caller, seconds: float) -> Calls:
    """Make one call after another for this time."""
    calls, until = Calls(), time.monotonic() + seconds
    address = urlsplit(caller.url)
    path, body, headers = caller.request(1)
    while time.monotonic() < until:
        started_at = time.monotonic()
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", path, body, headers)
            calls.add(started_at, connection.getresponse().read())
        except OSError:
            calls.add(started_at, b"")
        finally:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    return calls


def send_bursts(caller: Caller, calls: int, bursts: int) -> Calls:
    """Send this number of calls at the same moment, several times."""
    raise_open_file_limit()
    return asyncio.run(_send_bursts(caller, calls, bursts))


async def _send_bursts(caller: Caller, calls: int, bursts: int) -> Calls:
    result, tasks = Calls(), []
    for burst in range(bursts):
        tasks += [asyncio.create_task(_call(caller, result, burst * calls + number)) for number in range(calls)]
        await asyncio.sleep(BURST_INTERVAL_SECONDS)
    await asyncio.wait(tasks, timeout=TIMEOUT_SECONDS)
    return result


async def _call(caller: Caller, result: Calls, number: int) -> None:
    address = urlsplit(caller.url)
    path, body, headers = caller.request(1000 + number)
    lines = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    started_at = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        response = await reader.read()
        writer.close()
    except OSError:
        response = b""
    result.add(started_at, response.partition(b"\r\n\r\n")[2])


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
