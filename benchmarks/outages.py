"""Calls during faults of the database, of the keys and of OpenAI's connections: `python -m benchmarks.outages`.

Processes, databases and sockets are real. OpenAI and Glific are stand-ins over sockets. `--revision` measures another
revision of this project first, so that two can be compared.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from threading import Event, Thread
from typing import Any

import httpx2
import sqlalchemy as sa
from cryptography.fernet import Fernet

from benchmarks import databases, server
from benchmarks.programs import checkout, raise_open_file_limit
from benchmarks.progress import print_progress
from benchmarks.upstreams import run_slow_upstream
from benchmarks.webhook_calls import Caller, Reply, create_caller, send, send_together
from tests.support.database_faults import limited_role, make_read_only
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.network_faults import FaultyProxy
from tests.support.openai_answers import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import ROOT, SERVER, WORKER, Program, free_port, is_free, start

DEADLINE_SECONDS = 4.5
TOLERANCE_SECONDS = 0.25
"""Time after the deadline in which a reply may still be sent."""
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
CALLS = 20
ROWS = 3_000_000
"""Calls in the table whose index is created."""


@dataclass
class Setting:
    """One revision of the project with an empty database and stand-ins."""

    folder: Path
    stack: ExitStack
    url: str
    openai: OpenAIStandIn
    glific: GlificStandIn
    environ: dict[str, str] = field(default_factory=dict)

    def configure(self, **settings: object) -> dict[str, str]:
        """Return the environment of a process with these settings."""
        names = {f"GLIFIC_GPT_{name.upper()}": str(value) for name, value in settings.items()}
        return self.environ | names

    def start(self, command: Sequence[str], **settings: object) -> Program:
        """Start a process of this revision, and do not wait for it."""
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        return self.stack.enter_context(start(command, folder, self.configure(**settings), self.folder))

    def serve(self, **settings: object) -> Program:
        """Start the server, and return when it is ready."""
        return self.stack.enter_context(server.run_server(self.configure(**settings), self.folder))

    def has(self, path: str) -> bool:
        """Tell whether the revision has this file of the package."""
        return (self.folder / "glific_gpt" / path).exists()

    def run_flask(self, *arguments: str, stdin: str = "") -> str:
        return server.run_flask(self.environ, *arguments, stdin=stdin, folder=self.folder)


def measure_burst(setting: Setting) -> dict[str, Any]:
    """Send 900 calls at the same moment to a model that is slower than the deadline."""
    with run_slow_upstream(10.0) as upstream:
        caller = create_caller(setting.environ, setting.folder, "alice", "sk-proj-alice")
        setting.serve(openai_base_url=upstream)
        return summarize(asyncio.run(send_together([caller], 900)))


def measure_wrong_key(setting: Setting) -> dict[str, Any]:
    """Start a worker with another encryption key, and 20 seconds later one with the right key."""
    caller = connected_caller(setting, "async")
    setting.serve(worker="separate")
    wrong = setting.start(WORKER, worker="separate", encryption_keys=Fernet.generate_key().decode())
    replies = asyncio.run(send_together([caller], CALLS))
    time.sleep(20)
    ended = wrong.process.poll()
    wrong.send_all(SIGTERM)
    setting.start(WORKER, worker="separate")
    results = wait_for_results(setting, replies)
    return summarize(replies) | {
        "exit status of the wrong worker": ended,
        "flows resumed": dict(Counter(str(result.get("error_code", "ok")) for result in results)),
        "lost": CALLS - len(results),
    }


def measure_readiness(setting: Setting) -> dict[str, Any]:
    """Ask for /readyz with a wrong encryption key, and with a read-only database if it is PostgreSQL."""
    connected_caller(setting, "sync")
    wrong = {"encryption_keys": Fernet.generate_key().decode(), "bind": f"127.0.0.1:{free_port()}"}
    measured = {"wrong encryption key": probe(setting.start(SERVER, **wrong), str(wrong["bind"]))}
    if setting.url.startswith("postgresql"):
        program = setting.serve()
        with make_read_only(setting.url):
            time.sleep(2)
            measured["read-only database"] = probe(program, setting.environ["GLIFIC_GPT_BIND"])
    return measured


def measure_connections(setting: Setting) -> dict[str, Any]:
    """Let a role open only 8 connections, and send 59 calls at the same moment. Then start a second server."""
    caller = connected_caller(setting, "sync")
    with limited_role(setting.url, 8) as limited:
        # An older revision has no such setting, and opens up to 42 connections.
        limit = {"database_connections": 40} if setting.has("database/connection_shares.py") else {}
        setting.serve(database_url=limited, **limit)
        measured = summarize(asyncio.run(send_together([caller], 59)))
        port = free_port()
        second = setting.start(SERVER, database_url=limited, bind=f"127.0.0.1:{port}")
        was_listening = False
        until = time.monotonic() + 20
        while second.process.poll() is None and time.monotonic() < until:
            was_listening |= not is_free(port)
            time.sleep(0.05)
        return measured | {"second server listened": was_listening, "its exit status": second.process.poll()}


def measure_silence(setting: Setting) -> dict[str, Any]:
    """Stop the packets from PostgreSQL, and send 24 calls at the same moment."""
    caller = connected_caller(setting, "sync")
    target = sa.make_url(setting.url)
    with FaultyProxy(str(target.host), target.port or 5432) as proxy:
        through_proxy = target.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        setting.serve(database_url=through_proxy)
        asyncio.run(send_together([caller], 24))
        proxy.stop_forwarding()
        return summarize(asyncio.run(send_together([caller], 24)))


def measure_dead_connections(setting: Setting) -> dict[str, Any]:
    """Drop the packets of 20 pooled connections to OpenAI, and send ten calls, one after another."""
    caller = connected_caller(setting, "sync")
    address = httpx2.URL(setting.openai.base_url)
    with FaultyProxy(str(address.host), address.port or 80) as proxy:
        setting.serve(openai_base_url=f"http://127.0.0.1:{proxy.port}/v1")
        setting.openai.always(answer("ok", after=0.5))
        asyncio.run(send_together([caller], CALLS))
        proxy.drop_packets_of_open_connections()
        return summarize([asyncio.run(send(caller, contact)) for contact in range(10)])


def measure_index(setting: Setting) -> dict[str, Any]:
    """Insert calls while migration 0005 indexes a table of 3 million calls. Return the longest insert."""
    setting.run_flask("db", "downgrade", "0004", *(("--yes",) if setting.has("database/losses.py") else ()))
    engine = sa.create_engine(setting.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(INSERT_ORGANIZATION))
        print_progress(f"inserting {ROWS:,} calls")
        connection.execute(sa.text(INSERT_CALLS), {"first": 1, "last": ROWS})
        stopping, seconds = Event(), [0.0]
        inserting = Thread(target=_insert_calls, args=(connection, stopping, seconds))
        inserting.start()
        started_at = time.monotonic()
        setting.run_flask("db", "upgrade", "0005")
        duration = time.monotonic() - started_at
        stopping.set()
        inserting.join()
    engine.dispose()
    return {"migration_s": round(duration, 1), "inserts": len(seconds), "longest_insert_s": round(max(seconds), 2)}


INSERT_ORGANIZATION = """
INSERT INTO organizations (slug, name, is_active, require_signature, created_at)
VALUES ('alice', 'Alice', true, false, now())
"""
INSERT_CALLS = """
INSERT INTO calls (call_id, organization_id, function, status, started_at, give_up_at)
SELECT 'call-' || number, (SELECT max(id) FROM organizations), 'parse_via_chat_gpt', 'ok', now(), now()
FROM generate_series(:first, :last) AS number
"""


def _insert_calls(connection: sa.Connection, stopping: Event, seconds: list[float]) -> None:
    number = ROWS
    while not stopping.wait(0.02):
        number += 1
        started_at = time.monotonic()
        connection.execute(sa.text(INSERT_CALLS), {"first": number, "last": number})
        seconds.append(time.monotonic() - started_at)


def connected_caller(setting: Setting, mode: str) -> Caller:
    """Create an organization that is connected to Glific, and return the caller of its webhook."""
    caller = create_caller(setting.environ, setting.folder, "alice", "sk-proj-alice")
    connect = ("glific", "connect", "alice", "--api-url", setting.glific.url, "--phone", PHONE, "--password-stdin")
    setting.run_flask(*connect, "--no-verify", stdin=PASSWORD)
    return Caller(caller.url, caller.token, mode)


def probe(program: Program, bind: str) -> str:
    """Return the status of /readyz after at most ten seconds, or the exit status of the server."""
    until = time.monotonic() + 10
    while program.process.poll() is None and time.monotonic() < until:
        with suppress(httpx2.TransportError):
            return f"status {httpx2.get(f'http://{bind}/readyz', timeout=5).status_code}"
        time.sleep(0.05)
    return f"exit status {program.process.poll()}"


def wait_for_results(setting: Setting, replies: list[Reply], seconds: float = 30.0) -> list[dict[str, Any]]:
    """Return the results that resumed the flows of these calls."""
    calls = {reply.call_id for reply in replies}
    until = time.monotonic() + seconds
    while True:
        results = {str(each.result["call_id"]): each.result for each in setting.glific.resumptions}
        found = [result for call, result in results.items() if call in calls]
        if len(found) == len(calls) or time.monotonic() > until:
            return found
        time.sleep(0.1)


def summarize(replies: Sequence[Reply]) -> dict[str, Any]:
    """Return how many replies had each outcome, and how long they took."""
    seconds = [reply.seconds for reply in replies]
    return {
        "replies": dict(Counter(reply.outcome for reply in replies)),
        "longest_s": round(max(seconds), 2),
        "after the deadline": sum(each > DEADLINE_SECONDS + TOLERANCE_SECONDS for each in seconds),
        "late for Glific": sum(reply.is_late for reply in replies),
    }


SCENARIOS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "burst": measure_burst,
    "wrong-key": measure_wrong_key,
    "readiness": measure_readiness,
    "connections": measure_connections,
    "silence": measure_silence,
    "dead-connections": measure_dead_connections,
    "index": measure_index,
}
POSTGRESQL_ONLY = {"connections", "silence", "index"}


@contextmanager
def create_setting(folder: Path, database: str) -> Iterator[Setting]:
    """Yield a setting whose database is migrated."""
    with ExitStack() as stack:
        url = stack.enter_context(databases.list_databases()[DATABASES[database]]())
        setting = Setting(
            folder, stack, url, stack.enter_context(OpenAIStandIn()), stack.enter_context(GlificStandIn())
        )
        setting.openai.always(answer("ok", after=0.2))
        setting.environ = server.build_environment(url, setting.openai.base_url, glific_hosts="127.0.0.1")
        server.migrate(setting.environ, folder)
        yield setting


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outages", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"Default: all. {', '.join(SCENARIOS)}.")
    parser.add_argument("--database", choices=DATABASES, action="append", help="Default: both.")
    parser.add_argument("--revision", help="Other revision to measure first, for example HEAD~1.")
    options = parser.parse_args()
    if unknown := set(options.scenario) - SCENARIOS.keys():
        parser.error(f"Unknown scenario: {', '.join(sorted(unknown))}.")
    raise_open_file_limit()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        trees = {"this checkout": ROOT}
        if options.revision:
            trees = {options.revision: stack.enter_context(checkout(options.revision, Path(temporary, "tree")))} | trees
        for scenario in options.scenario or SCENARIOS:
            for database in options.database or DATABASES:
                if database == "sqlite" and scenario in POSTGRESQL_ONLY:
                    continue
                for name, folder in trees.items():
                    print_progress(f"{scenario}, {database}, {name}")
                    with create_setting(folder, database) as setting:
                        measured = SCENARIOS[scenario](setting)
                    result = {"scenario": scenario, "database": database, "revision": name} | measured
                    json.dump(result, sys.stdout)
                    print(flush=True)


if __name__ == "__main__":
    main()
