"""The order in which worker processes run tests: slow modules first, so that no process works alone at the end."""

from collections.abc import Sequence
from itertools import groupby

import pytest

SLOW_MARKERS = ("journey", "kills", "fuzz", "browser")


def slow_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests so that each worker begins with slow modules, and those with the longest time-outs first.

    xdist gives each worker an equal part of the list, in its order. The tests of a module stay together, because they
    may share a fixture.
    """
    modules = [list(module) for _, module in groupby(items, key=lambda item: item.path)]
    slow = sorted(filter(_is_slow, modules), key=_longest_timeout, reverse=True)
    fast = [item for module in modules if not _is_slow(module) for item in module]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        part = [item for module in slow[worker::workers] for item in module]
        left = (len(items) - len(ordered)) // (workers - worker) - len(part)
        ordered += part + fast[: max(0, left)]
        fast = fast[max(0, left) :]
    return ordered + fast


def _is_slow(module: list[pytest.Item]) -> bool:
    return any(item.get_closest_marker(name) for item in module for name in SLOW_MARKERS)


def _longest_timeout(module: list[pytest.Item]) -> float:
    """Return the longest time-out of its tests, in seconds. It is 0 for tests with the default one."""
    markers = (item.get_closest_marker("timeout") for item in module)
    return max((marker.args[0] for marker in markers if marker and marker.args), default=0)
