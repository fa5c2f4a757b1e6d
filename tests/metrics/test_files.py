"""The files of processes: no count is lost, and there are never more files than processes at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.metrics.files import FILE_SIZES, FORMAT, read_all, take_slot
from glific_gpt.metrics.instruments import Instruments
from tests.support.metrics import Samples


@contextmanager
def process(folder: Path, kind: str = "server") -> Iterator[Instruments]:
    """The metrics of a process, which ends without any work, as a killed one does."""
    slot = take_slot(folder)
    try:
        yield Instruments(slot, kind)
    finally:
        os.close(slot.lock)


def read(folder: Path) -> Samples:
    return Samples.of(read_all(folder))


def test_processes_at_the_same_time_are_added(tmp_path: Path) -> None:
    with process(tmp_path) as one, process(tmp_path, "worker") as other:
        one.replays.inc()
        other.replays.inc(2)
        one.call_seconds.observe(4.6)
        other.call_seconds.observe(0.2)
        one.in_flight.inc()
        other.in_flight.inc(3)
        found = read(tmp_path)
    assert found.total("replayed_answers_total") == 3
    assert found.total("call_seconds_count") == 2
    assert found.total("call_seconds_bucket", le="4.5") == 1
    assert found.total("calls_in_flight") == 4
    assert (found.total("processes", kind="server"), found.total("processes", kind="worker")) == (1, 1)


def test_a_process_that_replaces_another_counts_on_in_the_same_files(tmp_path: Path) -> None:
    for _ in range(5):
        with process(tmp_path) as metrics:
            metrics.calls.labels("f", "sync", "ok", "").inc()
            files = sorted(path.name for path in (tmp_path / FORMAT).iterdir())
    assert len(files) == len(FILE_SIZES) + 1
    assert read(tmp_path).calls() == {("f", "sync", "ok", ""): 5}


def test_counts_of_a_process_that_has_ended_remain_and_its_gauges_vanish(tmp_path: Path) -> None:
    with process(tmp_path) as metrics:
        metrics.replays.inc()
        metrics.in_flight.inc()
        metrics.secrets_unreadable.set(7)
    found = read(tmp_path)
    assert found.total("replayed_answers_total") == 1
    assert not any(found.has(name) for name in ("calls_in_flight", "processes", "secrets_unreadable"))


def test_a_new_process_does_not_have_the_calls_in_flight_of_a_dead_one(tmp_path: Path) -> None:
    with process(tmp_path) as dead:
        dead.in_flight.inc(5)
    with process(tmp_path):
        assert read(tmp_path).total("calls_in_flight") == 0


def test_reading_does_not_end_a_living_process(tmp_path: Path) -> None:
    with process(tmp_path) as metrics:
        for _ in range(2):
            metrics.in_flight.inc()
            read(tmp_path)
        assert read(tmp_path).total("calls_in_flight") == 2


def test_every_file_has_its_space_on_the_disk(tmp_path: Path) -> None:
    """A process that writes to a mapped file without space is ended by the operating system."""
    with process(tmp_path) as metrics:
        for number in range(1000):
            metrics.calls.labels("a_function_with_a_long_name", "async", "error", f"a_long_error_code_{number}").inc()
    for kind, size in FILE_SIZES.items():
        status = (tmp_path / FORMAT / f"{kind}_slot1.db").stat()
        assert status.st_size == size
        assert status.st_blocks * 512 >= size


@pytest.mark.parametrize("content", [b"\xff" * 4096, b"\x40\0\0\0\0\0\0\0\x08\0\0\0not JSON" + bytes(4096)])
def test_a_damaged_file_is_left_out_and_replaced(tmp_path: Path, content: bytes) -> None:
    with process(tmp_path) as one, process(tmp_path) as other:
        one.replays.inc()
        other.replays.inc(10)
    (tmp_path / FORMAT / "counter_slot1.db").write_bytes(content)
    assert read(tmp_path).total("replayed_answers_total") == 10
    with process(tmp_path) as one:
        one.replays.inc()
        assert read(tmp_path).total("replayed_answers_total") == 11


def test_only_this_user_can_read_the_files(tmp_path: Path) -> None:
    with process(tmp_path / "metrics"):
        folders = (tmp_path / "metrics", tmp_path / "metrics" / FORMAT)
        assert [oct(path.stat().st_mode)[-3:] for path in folders] == ["700", "700"]
        assert {oct(path.stat().st_mode)[-3:] for path in folders[1].iterdir()} == {"600"}


@pytest.mark.parametrize("kind", ["a file", "a link", "open to all"])
def test_a_folder_that_another_user_may_have_made_is_refused(tmp_path: Path, kind: str) -> None:
    """The path of the folder for temporary files can be guessed."""
    folder, other = tmp_path / "metrics", tmp_path / "other"
    other.mkdir()
    if kind == "a file":
        folder.touch()
    elif kind == "a link":
        folder.symlink_to(other)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    with pytest.raises(SettingsError) as caught:
        take_slot(folder)
    assert str(caught.value).endswith("Name another one in GLIFIC_GPT_METRICS_DIR.")
    assert list(other.iterdir()) == []
