"""glific_gpt.runtime.garbage_collector: pauses of the collector, which end."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from glific_gpt.runtime import garbage_collector

PAUSES = [garbage_collector.paused, garbage_collector.paused_for_start]


@pytest.mark.parametrize("pause", PAUSES)
def test_the_collector_pauses_in_the_block_only(pause: Callable[[], AbstractContextManager[None]]) -> None:
    with pause():
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.parametrize("pause", PAUSES)
def test_a_failure_ends_the_pause(pause: Callable[[], AbstractContextManager[None]]) -> None:
    with pytest.raises(LookupError), pause():
        raise LookupError
    assert gc.isenabled()


def test_the_collector_stays_disabled_if_it_was() -> None:
    with garbage_collector.paused():
        with garbage_collector.paused():
            pass
        assert not gc.isenabled()


def test_objects_of_the_start_are_never_scanned() -> None:
    before = gc.get_freeze_count()
    with garbage_collector.paused_for_start():
        created = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    assert gc.get_freeze_count() >= before + len(created)
