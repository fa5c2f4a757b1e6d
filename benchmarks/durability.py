"""`python -m benchmarks.durability`: kills servers and workers while answers are on their way, and counts.

Everything is real but OpenAI and Glific, which are stood in for over sockets: processes, databases, SIGKILL.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Any

import httpx2

from tests.support import databases
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_answers import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import SERVER, Program, free_port, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, open_database, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY

WORKER = (sys.executable, "-m", "flask", "--app", "wsgi", "worker")
CONCURRENCY = 16
RESUME_TIMEOUT_SECONDS = 300


@dataclass
class Environment:
    """Servers, workers, and the outside world."""

    settings: dict[str, Any]
    openai: OpenAIStandIn
    glific: GlificStandIn
    stack: ExitStack
    running_server: Any = None
    running: list[Program] = field(default_factory=list)

    def server(self, **settings: Any) -> str:
        """A new server; its address."""
        port = free_port()
        return self.server_at(port, **settings)

    def server_at(self, port: int, **settings: Any) -> str:
        program = self._start(SERVER, bind=f"127.0.0.1:{port}", **settings)
        wait_until_ready(f"http://127.0.0.1:{port}", program)
        return f"http://127.0.0.1:{port}"

    def worker(self) -> Program:
        return self._start(WORKER, worker="separate")

    def kill_all(self) -> None:
        for program in self.running:
            program.send_all(SIGKILL)
            program.process.wait()
        self.running.clear()

    def kill(self, program: Program) -> None:
        program.send_all(SIGKILL)
        self.running.remove(program)

    def _start(self, command: tuple[str, ...], **settings: Any) -> Program:
        folder = Path(tempfile.mkdtemp())
        program = self.stack.enter_context(start(command, folder, to_environment(**(self.settings | settings))))
        self.running.append(program)
        return program


@contextmanager
def create_environment(database: str, **settings: Any) -> Iterator[Environment]:
    with ExitStack() as stack:
        if database == "postgresql":
            url = stack.enter_context(databases.postgresql_database())
        else:
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/glific_gpt.db"
        databases.migrate(url)
        openai, glific = stack.enter_context(OpenAIStandIn()), stack.enter_context(GlificStandIn())
        known = {"database_url": url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
        known |= {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
        made = Environment(known | settings, openai, glific, stack)
        made.running_server = stack.enter_context(open_database(**(known | settings)))
        yield made


def add_organization(made: Environment, slug: str, url: str) -> TestOrganization:
    made.running_server.url = url
    new: TestOrganization = made.running_server.add_organization(slug)
    new.connect(made.glific)
    return new


rejections: Counter[str] = Counter()
"""What stood in the way of calls before they were accepted."""


def submit_call(asker: TestOrganization, contact: int, mode: str = "async") -> tuple[str, float]:
    """The id of an accepted call, and the seconds that it took to be accepted; tried until a server is there."""
    while True:
        begun = time.monotonic()
        try:
            reply = asker.ask_deferred(mode, contact=contact, headers={"Idempotency-Key": f"{asker.slug}-{contact}"})
        except httpx2.TransportError as error:
            rejections[type(error).__name__] += 1
        else:
            if reply.status_code == 200:
                return str(reply.json()["call_id"]), time.monotonic() - begun
            rejections[reply.json()["error_code"]] += 1
        time.sleep(0.1)


def count_resumptions(made: Environment) -> Counter[str]:
    """How often each call's flow was resumed."""
    return Counter(str(each.result["call_id"]) for each in made.glific.resumptions)


def wait_for_resumptions(made: Environment, calls: set[str], seconds: float = RESUME_TIMEOUT_SECONDS) -> float:
    begun = time.monotonic()
    while calls - count_resumptions(made).keys() and time.monotonic() - begun < seconds:
        time.sleep(0.05)
    return time.monotonic() - begun


def measure_kills(database: str, calls: int, mode: str) -> dict[str, Any]:
    """Accepted calls, and all processes killed three times at random moments.

    With auto the time of a request is over after a second, and OpenAI takes three.
    """
    processes = 2 if database == "postgresql" else 1
    with create_environment(database, processes=processes, deadline_seconds=1.0 if mode == "auto" else 4.5) as made:
        made.openai.always(answer("ok", after=3.0 if mode == "auto" else 1.0))
        port = free_port()
        asker = add_organization(made, "alice", made.server_at(port))
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            pending = [pool.submit(submit_call, asker, contact, mode) for contact in range(1, calls + 1)]
            for _ in range(3):
                time.sleep(random.uniform(2.0, 6.0))  # noqa: S311
                made.kill_all()
                made.server_at(port)
            accepted = {future.result()[0] for future in pending}
        wait_for_resumptions(made, accepted)
        time.sleep(8)  # for what might come twice
        counts = count_resumptions(made)
        asked = len([each for each in made.openai.requests if each.method == "POST"])
        return {
            "database": database,
            "mode": mode,
            "accepted": len(accepted),
            "resumed": len(accepted & counts.keys()),
            "lost": len(accepted - counts.keys()),
            "resumed_twice_or_more": sum(1 for call in accepted if counts[call] > 1),
            "resumed_without_having_been_accepted": len(counts.keys() - accepted),
            "asked_openai": asked,
            "asked_again": asked - len(counts),
            "in_the_way": dict(rejections),
        }


def measure_failover(database: str) -> dict[str, Any]:
    """Two servers and two workers; one worker is killed in the middle of its work."""
    with create_environment(database, worker="separate") as made:
        made.openai.always(answer("ok", after=3.0))
        asker, other = add_organization(made, "alice", made.server()), made.server()
        workers = [made.worker(), made.worker()]
        time.sleep(4)
        calls = set()
        for contact in range(1, 41):
            made.running_server.url = other if contact % 2 else asker.server.url
            calls.add(submit_call(asker, contact)[0])
        time.sleep(1.0)
        made.kill(workers[0])
        killed = time.monotonic()
        asked_before = len(made.openai.requests)
        wait_for_resumptions(made, calls)
        return {
            "database": database,
            "accepted": len(calls),
            "resumed": len(calls & count_resumptions(made).keys()),
            "all_resumed_after_s": round(time.monotonic() - killed, 1),
            "asked_before_kill": asked_before,
            "asked_in_all": len(made.openai.requests),
            "resumed_twice": sum(1 for n in count_resumptions(made).values() if n > 1),
        }


def measure_fairness(database: str, waiting: int) -> dict[str, Any]:
    """One organization with many calls waiting; another one asks once, alone and beside them."""
    with create_environment(database) as made:
        made.openai.always(answer("ok", after=1.0))
        url = made.server()
        big, small = add_organization(made, "big", url), add_organization(made, "small", url)
        submit_call(small, 1)

        def once(contact: int) -> float:
            call, _ = submit_call(small, contact)
            return wait_for_resumptions(made, {call})

        alone = [once(contact) for contact in range(2, 7)]
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            begun = time.monotonic()
            accepted = [future.result() for future in [pool.submit(submit_call, big, n) for n in range(1, waiting + 1)]]
            accepting = time.monotonic() - begun
        left = waiting - len(count_resumptions(made))
        beside = [once(contact) for contact in range(7, 12)]
        still = waiting - len(count_resumptions(made))
        wait_for_resumptions(made, {call for call, _ in accepted})
        return {
            "database": database,
            "waiting_before": left,
            "waiting_after": still,
            "alone_s": [round(each, 2) for each in alone],
            "beside_s": [round(each, 2) for each in beside],
            "accepted_per_s": round(waiting / accepting, 1),
            "campaign_s": round(time.monotonic() - begun, 1),
            "campaign_resumed": len({call for call, _ in accepted} & count_resumptions(made).keys()),
        }


def measure_latency(database: str, calls: int) -> dict[str, Any]:
    """How soon a call is accepted, and its flow resumed after OpenAI has answered."""
    with create_environment(database) as made:
        made.openai.always(answer("ok", after=1.0))
        asker = add_organization(made, "alice", made.server())
        for warm in range(5):
            submit_call(asker, 9000 + warm)
        accepting, resuming, starting = [], [], []
        for contact in range(1, calls + 1):
            call, seconds = submit_call(asker, contact)
            at = time.monotonic()
            wait_for_resumptions(made, {call})
            came = next(each.at for each in made.glific.resumptions if each.result["call_id"] == call)
            asked = made.openai.requests[-1].at
            accepting.append(seconds)
            starting.append(asked - at)
            resuming.append(came - asked - 1.0)
        return {
            "database": database,
            "accepted_ms_median": round(statistics.median(accepting) * 1000, 1),
            "accepted_ms_max": round(max(accepting) * 1000, 1),
            "asked_after_ms_median": round(statistics.median(starting) * 1000),
            "resumed_after_answer_ms_median": round(statistics.median(resuming) * 1000),
            "resumed_after_answer_ms_max": round(max(resuming) * 1000),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["prompt", "kills", "takeover", "fair"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--mode", choices=["async", "auto"], default="async")
    parser.add_argument("--calls", type=int, default=500)
    wanted = parser.parse_args()
    run = {
        "prompt": lambda: measure_latency(wanted.database, min(wanted.calls, 40)),
        "kills": lambda: measure_kills(wanted.database, wanted.calls, wanted.mode),
        "takeover": lambda: measure_failover(wanted.database),
        "fair": lambda: measure_fairness(wanted.database, wanted.calls),
    }
    print(json.dumps(run[wanted.what](), indent=2))


if __name__ == "__main__":
    main()
