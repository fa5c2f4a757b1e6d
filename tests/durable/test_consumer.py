"""On SQLite one process consumes the queue, and another one takes its role when it ends."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL
from threading import Event

import pytest
import sqlalchemy as sa
from dbos import DBOS

from glific_gpt.durable import WorkflowContext, WorkflowEngine, failover
from glific_gpt.durable.locks import locks_for
from glific_gpt.durable.workflow import register_workflow
from tests.durable.conftest import Enqueue, Launch, Start
from tests.support.deferred import wait_until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_process_becomes_the_consumer_when_the_consumer_is_killed(
    start_program: Start, enqueue: Enqueue, subject: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first, second = (start_program("work", str(gate), until="works") for _ in range(2))
    enqueue(f"{subject}-1")
    wait_until(lambda: f"first {subject}-1" in first.output)
    first.send_all(SIGKILL)
    gate.touch()
    enqueue(f"{subject}-2")
    wait_until(lambda: f"third {subject}-2" in second.output)
    wait_until(lambda: f"third {subject}-1" in second.output)  # the work of the killed process is repeated, too


def test_a_process_that_stops_does_not_become_the_consumer(
    engine: WorkflowEngine, launch: Launch, subject: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failover, "RENEW_SECONDS", 0.05)
    consumer, next_consumer = (locks_for(sa.make_url(database_url)) for _ in range(2))
    begun, may_end = Event(), Event()

    def wait(_subject: str, context: WorkflowContext) -> None:
        begun.set()
        context.step("wait", lambda: may_end.wait(60))

    assert consumer.try_become_consumer()
    launch(wait)
    DBOS.start_workflow(register_workflow(), subject, 1)
    assert begun.wait(60)
    with ThreadPoolExecutor(1) as pool:
        stop = pool.submit(engine.stop, 60)
        wait_until(lambda: not engine._executor)
        time.sleep(0.2)  # from here on, it waits for the running work
        consumer.release()
        time.sleep(0.5)  # ten times longer than a process needs to become the consumer
        assert next_consumer.try_become_consumer()
        may_end.set()
        stop.result(60)
    next_consumer.release()
