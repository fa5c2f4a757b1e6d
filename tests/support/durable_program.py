"""A process with a workflow engine that tests can stop and kill: `python -m tests.support.durable_program`.

Arguments are the program, the database URL, and the program's own arguments:
  hold URL NAME      acquire the lock of this name and renew it for ever
  listen URL         try to become the consumer of the queue until it succeeds
  work URL GATE [SUBJECT...]
                     run workflows, also those of the queue. The second step of each waits until the file GATE
                     exists. Workflows of the given subjects are held by this process.
It reports each step as a line on standard output.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from glific_gpt.database.connection_shares import share_out
from glific_gpt.durable import WorkflowContext, WorkflowEngine
from glific_gpt.durable.locks import locks_for


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def hold(url: str, name: str) -> None:
    locks = locks_for(make_url(url))
    locks.acquire(name)
    say("held")
    while True:
        time.sleep(0.2)
        locks.renew()


def listen(url: str) -> None:
    locks = locks_for(make_url(url))
    while not locks.try_become_consumer():
        say("may not")
        time.sleep(0.1)
    say("may")
    time.sleep(600)


def work(url: str, gate: str, *subjects: str) -> None:
    def handler(subject: str, durable: WorkflowContext) -> None:
        durable.step("first", lambda: say("first", subject))
        durable.step("second", lambda: wait_for(Path(gate)))
        durable.step("third", lambda: say("third", subject))

    engine = WorkflowEngine(make_url(url), share_out(20), max_concurrent=10, max_concurrent_per_partition=10)
    engine.launch(handler, consumes=True)
    database = create_engine(url)
    for subject in subjects:
        with Session(database) as session, session.begin():
            assert engine.hold(session, subject, subject, 1, seconds=600)
    say("works")
    time.sleep(600)


def wait_for(gate: Path) -> None:
    while not gate.exists():
        time.sleep(0.02)


PROGRAMS: dict[str, Callable[..., None]] = {"hold": hold, "listen": listen, "work": work}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
