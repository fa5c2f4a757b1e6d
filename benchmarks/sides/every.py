"""Which sides there are on this machine, and which are left out and why."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks import databases
from benchmarks.asking import CHAT, Target
from benchmarks.sides import ours, peers
from benchmarks.sides.side import LITELLM, PEERS, PORTKEY, POSTGRESQL, SIGNED, SQLITE, UPSTREAM, Side

Start = Callable[[str], AbstractContextManager[Side]]


@contextmanager
def direct(upstream: str) -> Iterator[Side]:
    """Nothing in between."""
    yield Side(UPSTREAM, [Target(f"{upstream}/chat/completions", {}, dict(CHAT))])


def sides() -> dict[str, Start]:
    """What starts each side, by its name, in the order of the tables."""
    found: dict[str, Start] = {UPSTREAM: direct, SQLITE: ours.on_sqlite}
    if databases.has_postgresql():
        found[POSTGRESQL] = ours.on_postgresql
    return found | {SIGNED: ours.signed} | others()


def others() -> dict[str, Start]:
    """The other gateways that are installed."""
    starts: dict[str, Start] = {LITELLM: peers.litellm, PORTKEY: peers.portkey}
    return {name: starts[name] for name in peers.installed()}


def left_out() -> list[str]:
    """A sentence for each side that is not there."""
    missing = [f"{name}: not installed; `make peers` does." for name in PEERS if name not in peers.installed()]
    return missing if databases.has_postgresql() else [databases.NO_POSTGRESQL, *missing]
