"""Counting in a process: cheap, and only with a token."""

from collections.abc import Iterator
from pathlib import Path
from timeit import timeit

import pytest

from glific_gpt.metrics import recording
from glific_gpt.metrics.files import FORMAT, read_all
from tests.support.metrics import Samples


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    recording.close()
    yield
    recording.close()


def test_without_a_token_nothing_is_counted(tmp_path: Path) -> None:
    recording.start("server")
    recording.call_ended("f", "sync", "ok", None)
    assert recording.folder() is None
    assert not recording.is_enabled()


def test_nothing_is_written_before_the_first_count(tmp_path: Path) -> None:
    """Commands have the same settings as servers, and count nothing."""
    recording.configure(tmp_path / "metrics", ["f"], {})
    assert list(tmp_path.iterdir()) == []


def test_the_code_of_a_plugin_is_counted_as_other(tmp_path: Path) -> None:
    recording.configure(tmp_path, ["f"], {"known": "caller"})
    for code in ("known", "mine", "yours"):
        recording.call_ended("f", "sync", "error", code)
    found = Samples.of(read_all(tmp_path))
    assert found.calls() == {("f", "sync", "error", "known"): 1, ("f", "sync", "error", "other"): 2}
    assert found.total("calls_failed_total") == 1


def test_a_folder_that_cannot_be_used_stops_no_call(tmp_path: Path) -> None:
    """An app in a server of another kind does not open it at its start."""
    (tmp_path / "metrics").touch()
    recording.configure(tmp_path / "metrics", ["f"], {})
    with recording.in_flight():
        recording.call_ended("f", "sync", "ok", None)
    assert not recording.is_enabled()


def test_a_call_is_counted_in_a_few_microseconds(tmp_path: Path) -> None:
    """The fastest of many, because a busy machine can delay each. A call takes over a millisecond."""
    recording.configure(tmp_path, ["f"], {})
    recording.start("server")

    def count() -> None:
        with recording.in_flight():
            recording.openai_asked(0.5)
            recording.call_ended("f", "sync", "ok", None)
            recording.call_answered(0.6)

    assert min(timeit(count, number=10) for _ in range(200)) / 10 < 100e-6
    assert (tmp_path / FORMAT / "counter_slot1.db").exists()
