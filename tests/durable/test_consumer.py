"""On SQLite one process consumes the queue, and another one takes its role when it ends."""

from pathlib import Path
from signal import SIGKILL

import pytest

from tests.durable.conftest import Enqueue, Start
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
