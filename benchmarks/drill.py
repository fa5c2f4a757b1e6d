"""A drill: many organizations for an hour, with everything that goes wrong in a year: `python -m benchmarks.drill`.

Two servers are upgraded from another revision, their encryption key is rotated, one of them is killed every minute, the
database is away twice, and OpenAI once. Processes and database are real. OpenAI and Glific are stand-ins over sockets.
Prints how many calls were accepted, and which answers were late, delivered twice, paid twice or lost.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Lock, Thread
from typing import Any

import httpx2
import sqlalchemy as sa
from cryptography.fernet import Fernet

from benchmarks.durability import (
    Environment,
    add_organization,
    count_resumptions,
    create_environment,
    wait_for_resumptions,
)
from benchmarks.programs import checkout, raise_open_file_limit
from benchmarks.progress import print_progress
from tests.support.openai_answers import answer
from tests.support.openai_behaviours import server_error
from tests.support.openai_exchange import Behaviour, Exchange
from tests.support.programs import FLASK, ROOT, SERVER, Program, free_port, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY

GLIFIC_TIMEOUT_SECONDS = 5.0
LATE_SECONDS = 120.0
"""Age of an answer from which it counts as late: flows wait for minutes."""
MODES = ("sync", "async", "auto")
PAUSE_SECONDS = (3.0, 9.0)
"""Range of the pause between two calls of one organization."""
SECONDS_BETWEEN_KILLS = 60.0
OUTAGE_SECONDS = 30.0


@dataclass
class Tally:
    """The results of all calls, as their callers saw them."""

    replies: Counter[str] = field(default_factory=Counter)
    """By mode and outcome."""
    slowest: float = 0.0
    late_replies: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """Questions that OpenAI has answered, and asks to be paid for."""
    accepted: dict[str, float] = field(default_factory=dict)
    """Calls with a pending reply, and when it arrived."""
    lock: Lock = field(default_factory=Lock)

    def add(self, mode: str, outcome: str, seconds: float, call_id: str = "") -> None:
        with self.lock:
            self.replies[f"{mode}: {outcome}"] += 1
            self.slowest = max(self.slowest, seconds)
            if seconds > GLIFIC_TIMEOUT_SECONDS:
                self.late_replies[f"{mode}: {outcome}"] += 1
            if outcome == "pending":
                self.accepted[call_id] = time.monotonic()


@dataclass
class Cluster:
    """Two servers on one database, which are replaced one by one."""

    environment: Environment
    tree: Path
    model: Behaviour
    keys: str
    servers: dict[str, Program] = field(default_factory=dict)
    """Running servers by their URL."""

    def start_server(self) -> None:
        port = free_port()
        settings = self.environment.settings | {"bind": f"127.0.0.1:{port}", "encryption_keys": self.keys}
        folder = Path(self.environment.stack.enter_context(tempfile.TemporaryDirectory()))
        program = self.environment.stack.enter_context(start(SERVER, folder, to_environment(**settings), self.tree))
        wait_until_ready(f"http://127.0.0.1:{port}", program)
        self.servers[f"http://127.0.0.1:{port}"] = program

    def replace_all(self) -> None:
        """Replace each server by one with the current keys and code, as in a rolling restart."""
        for url in list(self.servers):
            self.start_server()
            program = self.servers.pop(url)
            program.send_all(SIGTERM)
            program.wait_for_exit()

    def kill_one(self) -> None:
        """Kill a server and start another one."""
        self.servers.pop(random.choice(list(self.servers))).send_all(SIGKILL)  # noqa: S311
        self.start_server()

    def run_flask(self, *arguments: str) -> str:
        """Run a command of the current code with the current keys."""
        settings = self.environment.settings | {"encryption_keys": self.keys}
        environ = to_environment(**settings)
        with (
            tempfile.TemporaryDirectory() as folder,
            start((*FLASK, *arguments), Path(folder), environ, self.tree) as program,
        ):
            if program.wait_for_exit():
                raise RuntimeError(program.errors)
            return program.output

    @contextmanager
    def database_outage(self) -> Iterator[None]:
        """Refuse new connections to the database, and cut those that are open."""
        url = sa.make_url(self.environment.settings["database_url"])
        server = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(sa.text(cut), {"name": url.database})
            try:
                yield
            finally:
                connection.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
        server.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="Revision from which the servers are upgraded, for example HEAD~1.")
    parser.add_argument("--minutes", type=float, default=60.0, help="Duration.")
    parser.add_argument("--organizations", type=int, default=50, help="Number of organizations.")
    options = parser.parse_args()
    raise_open_file_limit()
    with tempfile.TemporaryDirectory() as folder, checkout(options.revision, Path(folder, "tree")) as tree:
        print(json.dumps(run(tree, options.minutes * 60, options.organizations), indent=2))


def run(tree: Path, seconds: float, organizations: int) -> dict[str, Any]:
    """Run the drill, which starts with the code in `tree`."""
    with create_environment("postgresql", migrate=partial(_migrate, tree)) as environment:
        tally = Tally()
        cluster = Cluster(environment, tree, partial(_answer_like_a_model, tally), ENCRYPTION_KEY)
        environment.openai.always(cluster.model)
        cluster.start_server()
        cluster.start_server()
        callers = [add_organization(environment, f"ngo-{number}", "") for number in range(organizations)]
        ends_at = time.monotonic() + seconds
        threads = [Thread(target=_call_until, args=(ends_at, each, cluster, tally)) for each in callers]
        for thread in threads:
            thread.start()
        kills = _run_incidents(cluster, seconds, ends_at)
        for thread in threads:
            thread.join()
        wait_for_resumptions(environment, set(tally.accepted), seconds=300)
        time.sleep(10)  # so that a second resumption can arrive
        return _report(environment, tally, kills)


def _migrate(tree: Path, url: str) -> None:
    """Create the tables with the code in this folder."""
    settings = {"database_url": url, "secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    folder = Path(tempfile.mkdtemp())
    with start((*FLASK, "db", "upgrade"), folder, to_environment(**settings), tree) as program:
        if program.wait_for_exit():
            raise RuntimeError(program.errors)


def _answer_like_a_model(tally: Tally, exchange: Exchange) -> None:
    """Answer after half a second to two seconds, and every eighth question after seven."""
    slow = random.random() < 1 / 8  # noqa: S311
    with tally.lock:
        tally.answered[exchange.received.question] += 1
    answer("Sugar and salt.", after=7.0 if slow else random.uniform(0.5, 2.0))(exchange)  # noqa: S311


def _call_until(ends_at: float, organization: TestOrganization, cluster: Cluster, tally: Tally) -> None:
    """Send calls like the flows of one organization."""
    for contact in count(1):
        if time.monotonic() > ends_at:
            return
        _call(organization, cluster, tally, contact, random.choice(MODES))  # noqa: S311
        time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311


def _call(organization: TestOrganization, cluster: Cluster, tally: Tally, contact: int, mode: str) -> None:
    body = {"question_text": f"{organization.slug} {contact}", "contact": {"id": contact}, "flow_id": "5"}
    headers = {"Authorization": f"Bearer {organization.token}"}
    sent_at, outcome, call_id = time.monotonic(), "no server", ""
    for url in list(cluster.servers):  # like a load balancer: a server that accepts no connection is passed over
        try:
            address = f"{url}/webhooks/{organization.slug}/parse_via_chat_gpt?mode={mode}"
            reply = httpx2.post(address, json=body, headers=headers, timeout=30.0).json()
        except httpx2.ConnectError:
            continue
        except (httpx2.TransportError, ValueError) as error:
            outcome = f"connection cut ({type(error).__name__})"
        else:
            outcome, call_id = str(reply.get("error_code") or reply["status"]), str(reply["call_id"])
        break
    tally.add(mode, outcome, time.monotonic() - sent_at, call_id)


def _run_incidents(cluster: Cluster, seconds: float, ends_at: float) -> int:
    """Let the incidents happen, each at its part of the time. Returns the number of killed servers."""
    started, kills, next_kill = time.monotonic(), 0, SECONDS_BETWEEN_KILLS
    incidents: list[tuple[float, str, Callable[[], None]]] = [
        (0.15, "the database is away", lambda: _break_database(cluster)),
        (0.30, "the encryption key is rotated", lambda: _rotate(cluster)),
        (0.50, "the servers are upgraded", lambda: _upgrade(cluster)),
        (0.70, "OpenAI is away", lambda: _break_openai(cluster)),
        (0.85, "the database is away again", lambda: _break_database(cluster)),
    ]
    while (elapsed := time.monotonic() - started) < seconds - 30 and time.monotonic() < ends_at:
        if incidents and elapsed > incidents[0][0] * seconds:
            _, name, incident = incidents.pop(0)
            print_progress(f"{elapsed / 60:.0f} min: {name}")
            incident()
        elif elapsed > next_kill:
            next_kill += SECONDS_BETWEEN_KILLS
            kills += 1
            cluster.kill_one()
        time.sleep(0.5)
    return kills


def _break_database(cluster: Cluster) -> None:
    with cluster.database_outage():
        time.sleep(OUTAGE_SECONDS)


def _break_openai(cluster: Cluster) -> None:
    cluster.environment.openai.always(server_error(503))
    time.sleep(OUTAGE_SECONDS)
    cluster.environment.openai.always(cluster.model)


def _rotate(cluster: Cluster) -> None:
    old, new = cluster.keys, Fernet.generate_key().decode()
    for keys in (f"{old},{new}", f"{new},{old}"):
        cluster.keys = keys
        cluster.replace_all()
    cluster.run_flask("credentials", "rotate", "--json")
    # Both keys stay for 15 minutes, until the stored answers for repeated calls have expired.


def _upgrade(cluster: Cluster) -> None:
    cluster.tree = ROOT
    cluster.run_flask("db", "upgrade")
    cluster.replace_all()


def _report(environment: Environment, tally: Tally, kills: int) -> dict[str, Any]:
    counts = count_resumptions(environment)
    first: dict[str, float] = {}
    for each in environment.glific.resumptions:
        first.setdefault(str(each.result["call_id"]), each.at)
    results = Counter(str(each.result.get("error_code") or "ok") for each in environment.glific.resumptions)
    waits = [first[call] - at for call, at in tally.accepted.items() if call in first]
    return {
        "killed servers": kills,
        "calls": sum(tally.replies.values()),
        "replies": dict(sorted(tally.replies.items())),
        "replies after 5 s": dict(tally.late_replies),
        "slowest reply, s": round(tally.slowest, 2),
        "accepted for later": len(tally.accepted),
        "delivered": len(tally.accepted.keys() & counts.keys()),
        "lost": len(tally.accepted.keys() - counts.keys()),
        f"delivered after {LATE_SECONDS:.0f} s": sum(wait > LATE_SECONDS for wait in waits),
        "longest wait, s": round(max(waits, default=0.0), 1),
        "told twice": sum(counts[call] > 1 for call in tally.accepted),
        "told without having been accepted": len(counts.keys() - tally.accepted.keys()),
        "results that flows got": dict(results),
        "questions that were answered": len(tally.answered),
        "answered twice or more": sum(number > 1 for number in tally.answered.values()),
    }


if __name__ == "__main__":
    main()
