"""Each worker process begins with slow modules, and the tests of a module stay together."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.order import slow_first


def module_of(name: str, count: int, **markers: float) -> list[Any]:
    """Return tests of a module with these markers, of which each has a value."""

    def get_closest_marker(marker: str) -> SimpleNamespace | None:
        return SimpleNamespace(args=(markers[marker],)) if marker in markers else None

    return [
        SimpleNamespace(path=Path(name), number=number, get_closest_marker=get_closest_marker)
        for number in range(count)
    ]


ITEMS = [
    *module_of("fast", 30),
    *module_of("slow", 4, journey=True),
    *module_of("image", 1, journey=True, timeout=900),
    *module_of("other", 30),
    *module_of("browser", 3, browser=True),
]


@pytest.mark.parametrize(
    ("workers", "first"), [(1, ["image"]), (2, ["image", "slow"]), (3, ["image", "slow", "browser"])]
)
def test_each_worker_begins_with_a_slow_module(workers: int, first: list[str]) -> None:
    ordered = slow_first(ITEMS, workers)
    begins, left = [], ordered
    for worker in range(workers):  # as xdist distributes them
        begins.append(left[0].path.name)
        left = left[len(left) // (workers - worker) :]
    assert begins == first


def test_it_keeps_all_tests_and_those_of_a_module_in_their_order() -> None:
    ordered: list[Any] = list(slow_first(ITEMS, 2))
    assert sorted(map(id, ordered)) == sorted(map(id, ITEMS))
    for name in ("slow", "browser", "fast"):
        assert [item.number for item in ordered if item.path.name == name] == sorted(
            item.number for item in ITEMS if item.path.name == name
        )


def test_many_slow_tests_are_all_kept() -> None:
    items = [*module_of("slow", 50, kills=True), *module_of("fast", 2)]
    assert sorted(map(id, slow_first(items, 4))) == sorted(map(id, items))
