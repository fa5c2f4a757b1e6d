"""Kill servers and workers during deferred calls and count lost answers: `python -m benchmarks.durability SCENARIO`.

Processes, databases and SIGKILL are real. OpenAI and Glific are stand-ins over sockets.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Event
from typing import Any

import httpx2
from cryptography.fernet import Fernet

from tests.support import databases
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_answers import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import FLASK, ROOT, SERVER, WORKER, Program, free_port, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, open_database, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY

CONCURRENCY = 16
RESUME_TIMEOUT_SECONDS = 300


@dataclass
class Environment:
    """A database with its servers and workers, and the stand-ins for OpenAI and Glific."""

    settings: dict[str, Any]
    openai: OpenAIStandIn
    glific: GlificStandIn
    stack: ExitStack
    database: Any = None
    """Access to the organizations in the database, without a server of its own."""
    folder: Path = ROOT
    """The checkout whose programs are started."""
    running: list[Program] = field(default_factory=list)
    is_forked: bool = False
    """True if programs are forked from a process that has imported the product, in a fifth of the CPU time."""

    def start_server(self, port: int | None = None, **settings: Any) -> str:
        """Start a server and return its URL."""
        port = port or free_port()
        program = self._start(SERVER, bind=f"127.0.0.1:{port}", **settings)
        wait_until_ready(f"http://127.0.0.1:{port}", program)
        return f"http://127.0.0.1:{port}"

    def start_worker(self) -> Program:
        return self._start(WORKER, worker="separate")

    def run_flask(self, *arguments: str, **settings: Any) -> Any:
        """Run a command that must succeed, and return its JSON output."""
        program = self._start((*FLASK, *arguments), **settings)
        exit_code = program.wait_for_exit()
        self.running.remove(program)
        if exit_code:
            raise RuntimeError(program.errors)
        return json.loads(program.output)

    def kill_all(self) -> None:
        for program in self.running:
            program.send_all(SIGKILL)
            program.process.wait()
        self.running.clear()

    def kill(self, program: Program) -> None:
        program.send_all(SIGKILL)
        self.running.remove(program)

    def _start(self, command: tuple[str, ...], **settings: Any) -> Program:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        environ = to_environment(**(self.settings | settings))
        program = self.stack.enter_context(start(command, folder, environ, self.folder, is_forked=self.is_forked))
        self.running.append(program)
        return program


@contextmanager
def create_environment(
    database: str, migrate: Callable[[str], object] = databases.migrate, **settings: Any
) -> Iterator[Environment]:
    with ExitStack() as stack:
        if database == "postgresql":
            url = stack.enter_context(databases.postgresql_database())
        else:
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/glific_gpt.db"
        migrate(url)
        openai, glific = stack.enter_context(OpenAIStandIn()), stack.enter_context(GlificStandIn())
        defaults = {"database_url": url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
        defaults |= {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
        environment = Environment(defaults | settings, openai, glific, stack)
        environment.database = stack.enter_context(open_database(**(defaults | settings)))
        yield environment


def add_organization(environment: Environment, slug: str, url: str) -> TestOrganization:
    environment.database.url = url
    organization: TestOrganization = environment.database.add_organization(slug)
    organization.connect(environment.glific)
    return organization


rejections: Counter[str] = Counter()
"""Number of attempts that failed before their call was accepted, by reason."""


def submit_call(organization: TestOrganization, contact: int, mode: str = "async") -> tuple[str, float]:
    """Send a call until a server accepts it. Return its id and the seconds of the successful attempt."""
    while True:
        sent_at = time.monotonic()
        try:
            response = organization.ask_deferred(
                mode, contact=contact, headers={"Idempotency-Key": f"{organization.slug}-{contact}"}
            )
        except httpx2.TransportError as error:
            rejections[type(error).__name__] += 1
        else:
            if response.status_code == 200:
                return str(response.json()["call_id"]), time.monotonic() - sent_at
            rejections[response.json()["error_code"]] += 1
        time.sleep(0.1)


def count_resumptions(environment: Environment) -> Counter[str]:
    """Return the number of resumptions of each call's flow."""
    return Counter(str(each.result["call_id"]) for each in environment.glific.resumptions)


def wait_for_resumptions(environment: Environment, calls: set[str], seconds: float = RESUME_TIMEOUT_SECONDS) -> float:
    """Wait until the flows of these calls are resumed, or the time is over. Return the seconds waited."""
    started_at = time.monotonic()
    while calls - count_resumptions(environment).keys() and time.monotonic() - started_at < seconds:
        time.sleep(0.05)
    return time.monotonic() - started_at


def measure_kills(database: str, calls: int, mode: str) -> dict[str, Any]:
    """Kill all processes three times at random moments while calls are accepted and answered.

    With the mode `auto`, the deadline of a request is one second and OpenAI takes three, so that each call is deferred.
    """
    processes = 2 if database == "postgresql" else 1
    with create_environment(
        database, processes=processes, deadline_seconds=1.0 if mode == "auto" else 4.5
    ) as environment:
        environment.openai.always(answer("ok", after=3.0 if mode == "auto" else 1.0))
        port = free_port()
        organization = add_organization(environment, "alice", environment.start_server(port))
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            pending = [pool.submit(submit_call, organization, contact, mode) for contact in range(1, calls + 1)]
            for _ in range(3):
                time.sleep(random.uniform(2.0, 6.0))  # noqa: S311
                environment.kill_all()
                environment.start_server(port)
            accepted = {future.result()[0] for future in pending}
        wait_for_resumptions(environment, accepted)
        time.sleep(8)  # so that a second resumption can arrive
        counts = count_resumptions(environment)
        requests = len([each for each in environment.openai.requests if each.method == "POST"])
        return {
            "database": database,
            "mode": mode,
            "accepted": len(accepted),
            "resumed": len(accepted & counts.keys()),
            "lost": len(accepted - counts.keys()),
            "resumed_twice_or_more": sum(1 for call in accepted if counts[call] > 1),
            "resumed_without_having_been_accepted": len(counts.keys() - accepted),
            "openai_requests": requests,
            "repeated_openai_requests": requests - len(counts),
            "rejections": dict(rejections),
        }


def measure_rotation(database: str, pause_seconds: float = 0.05, *, is_forked: bool = False) -> dict[str, Any]:
    """Rotate the encryption key as docs/operations.md says, on two servers, while calls are accepted and answered.

    A server is replaced by starting another one first, as in a rolling restart.
    """
    old, new = ENCRYPTION_KEY, Fernet.generate_key().decode()
    with create_environment(database) as environment:
        environment.is_forked = is_forked
        environment.openai.always(answer("ok", after=1.0))
        organization = add_organization(environment, "alice", environment.start_server(encryption_keys=old))
        environment.start_server(encryption_keys=old)
        accepted: list[str] = []
        stopping = Event()
        with ThreadPoolExecutor(1) as pool:
            submitting = pool.submit(_submit_until, stopping, organization, accepted, pause_seconds)
            try:
                _replace_servers(environment, encryption_keys=f"{old},{new}")
                _replace_servers(environment, encryption_keys=f"{new},{old}")
                rotation = environment.run_flask("credentials", "rotate", "--json", encryption_keys=f"{new},{old}")
                _replace_servers(environment, encryption_keys=new)
            finally:
                stopping.set()
            submitting.result()
        check = environment.run_flask("credentials", "check", "--json", encryption_keys=new)
        wait_for_resumptions(environment, set(accepted), seconds=60)
        counts = count_resumptions(environment)
        failed = [each.result["error_code"] for each in environment.glific.resumptions if "error_code" in each.result]
        return {
            "database": database,
            "accepted": len(accepted),
            "lost": len(set(accepted) - counts.keys()),
            "resumed_twice_or_more": sum(1 for call in accepted if counts[call] > 1),
            "resumed_with_an_error": dict(Counter(failed)),
            "rejections": dict(rejections),
            "rotation": rotation,
            "check": check,
        }


def _submit_until(stopping: Event, organization: TestOrganization, accepted: list[str], pause: float) -> None:
    for contact in count(1):
        accepted.append(submit_call(organization, contact)[0])
        if stopping.wait(pause):
            return


def _replace_servers(environment: Environment, **settings: Any) -> None:
    for server in list(environment.running):
        environment.database.url = environment.start_server(**settings)
        server.send_all(SIGTERM)
        server.wait_for_exit()
        environment.running.remove(server)


def measure_failover(database: str) -> dict[str, Any]:
    """Kill one of two workers during its work, with two servers."""
    with create_environment(database, worker="separate") as environment:
        environment.openai.always(answer("ok", after=3.0))
        organization, other_url = (
            add_organization(environment, "alice", environment.start_server()),
            environment.start_server(),
        )
        workers = [environment.start_worker(), environment.start_worker()]
        time.sleep(4)
        calls = set()
        for contact in range(1, 41):
            environment.database.url = other_url if contact % 2 else organization.server.url
            calls.add(submit_call(organization, contact)[0])
        time.sleep(1.0)
        environment.kill(workers[0])
        killed = time.monotonic()
        requests_before = len(environment.openai.requests)
        wait_for_resumptions(environment, calls)
        return {
            "database": database,
            "accepted": len(calls),
            "resumed": len(calls & count_resumptions(environment).keys()),
            "all_resumed_after_s": round(time.monotonic() - killed, 1),
            "openai_requests_before_kill": requests_before,
            "openai_requests": len(environment.openai.requests),
            "resumed_twice": sum(1 for n in count_resumptions(environment).values() if n > 1),
        }


def measure_fairness(database: str, waiting: int) -> dict[str, Any]:
    """Measure a single call of one organization, with and without many waiting calls of another."""
    with create_environment(database) as environment:
        environment.openai.always(answer("ok", after=1.0))
        url = environment.start_server()
        big, small = add_organization(environment, "big", url), add_organization(environment, "small", url)
        submit_call(small, 1)

        def time_call(contact: int) -> float:
            call, _ = submit_call(small, contact)
            return wait_for_resumptions(environment, {call})

        without_load = [time_call(contact) for contact in range(2, 7)]
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            started_at = time.monotonic()
            accepted = [future.result() for future in [pool.submit(submit_call, big, n) for n in range(1, waiting + 1)]]
            accepting = time.monotonic() - started_at
        waiting_before = waiting - len(count_resumptions(environment))
        under_load = [time_call(contact) for contact in range(7, 12)]
        waiting_after = waiting - len(count_resumptions(environment))
        wait_for_resumptions(environment, {call for call, _ in accepted})
        return {
            "database": database,
            "waiting_before": waiting_before,
            "waiting_after": waiting_after,
            "without_load_s": [round(each, 2) for each in without_load],
            "under_load_s": [round(each, 2) for each in under_load],
            "accepted_per_s": round(waiting / accepting, 1),
            "campaign_s": round(time.monotonic() - started_at, 1),
            "campaign_resumed": len({call for call, _ in accepted} & count_resumptions(environment).keys()),
        }


def measure_latency(database: str, calls: int) -> dict[str, Any]:
    """Measure the times until a call is accepted, until OpenAI is called, and from its answer to the resumption."""
    with create_environment(database) as environment:
        environment.openai.always(answer("ok", after=1.0))
        organization = add_organization(environment, "alice", environment.start_server())
        for warm in range(5):
            submit_call(organization, 9000 + warm)
        accepting, resuming, starting = [], [], []
        for contact in range(1, calls + 1):
            call, seconds = submit_call(organization, contact)
            accepted_at = time.monotonic()
            wait_for_resumptions(environment, {call})
            resumed_at = next(each.at for each in environment.glific.resumptions if each.result["call_id"] == call)
            requested_at = environment.openai.requests[-1].at
            accepting.append(seconds)
            starting.append(requested_at - accepted_at)
            resuming.append(resumed_at - requested_at - 1.0)
        return {
            "database": database,
            "accepted_ms_median": round(statistics.median(accepting) * 1000, 1),
            "accepted_ms_max": round(max(accepting) * 1000, 1),
            "openai_called_after_ms_median": round(statistics.median(starting) * 1000),
            "resumed_after_answer_ms_median": round(statistics.median(resuming) * 1000),
            "resumed_after_answer_ms_max": round(max(resuming) * 1000),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    scenarios = ["prompt", "kills", "takeover", "fair", "rotation"]
    parser.add_argument("scenario", choices=scenarios, help="Scenario to measure.")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql", help="Database to use.")
    parser.add_argument("--mode", choices=["async", "auto"], default="async", help="Mode of the killed calls.")
    parser.add_argument("--calls", type=int, default=500, help="Number of calls.")
    options = parser.parse_args()
    run = {
        "prompt": lambda: measure_latency(options.database, min(options.calls, 40)),
        "kills": lambda: measure_kills(options.database, options.calls, options.mode),
        "takeover": lambda: measure_failover(options.database),
        "rotation": lambda: measure_rotation(options.database),
        "fair": lambda: measure_fairness(options.database, options.calls),
    }
    print(json.dumps(run[options.scenario](), indent=2))


if __name__ == "__main__":
    main()
