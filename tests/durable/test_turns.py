"""Where one process alone takes from the queue, another one does so as soon as the first has ended."""

from pathlib import Path
from signal import SIGKILL

import pytest

from tests.durable.conftest import HandIn, Start
from tests.support.later import wait_until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_it_takes_from_the_queue_once_the_process_that_did_is_gone(
    start_program: Start, hand_in: HandIn, subject: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first, second = (start_program("work", str(gate), says="works") for _ in range(2))
    hand_in(f"{subject}-1")
    wait_until(lambda: f"first {subject}-1" in first.output)
    first.send_all(SIGKILL)
    gate.touch()
    hand_in(f"{subject}-2")
    wait_until(lambda: f"third {subject}-2" in second.output)
    wait_until(lambda: f"third {subject}-1" in second.output)  # taken over, too
