"""Call ids are unique and sort by time."""

import re

import time_machine

from glific_gpt.calls.context import new_call_id
from glific_gpt.calls.tables import CALL_ID


def test_call_ids_are_unique() -> None:
    ids = [new_call_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(CALL_ID, each) for each in ids)


def test_call_ids_sort_by_time() -> None:
    ids = []
    for second in ("2026-11-26T00:00:00Z", "2026-11-26T00:00:01Z", "2027-01-01T00:00:00Z", "2199-01-01T00:00:00Z"):
        with time_machine.travel(second, tick=False):
            ids.append(new_call_id())
    assert ids == sorted(ids)
