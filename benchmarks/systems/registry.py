"""Which sides there are on this machine, and which are left out and why."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks import databases
from benchmarks.systems import glific_gpt_server, peers
from benchmarks.systems.system import DIRECT, LITELLM, PEERS, PORTKEY, POSTGRESQL, SIGNED, SQLITE, System
from benchmarks.targets import CHAT_BODY, Target

StartSystem = Callable[[str], AbstractContextManager[System]]


@contextmanager
def start_direct(upstream: str) -> Iterator[System]:
    """Nothing in between."""
    yield System(DIRECT, [Target(f"{upstream}/chat/completions", {}, dict(CHAT_BODY))])


def list_systems() -> dict[str, StartSystem]:
    """What starts each side, by its name, in the order of the tables."""
    found: dict[str, StartSystem] = {DIRECT: start_direct, SQLITE: glific_gpt_server.start_on_sqlite}
    if databases.has_postgresql():
        found[POSTGRESQL] = glific_gpt_server.start_on_postgresql
    return found | {SIGNED: glific_gpt_server.start_signed} | list_peers()


def list_peers() -> dict[str, StartSystem]:
    """The other gateways that are installed."""
    starts: dict[str, StartSystem] = {LITELLM: peers.start_litellm, PORTKEY: peers.start_portkey}
    return {name: starts[name] for name in peers.read_installed_versions()}


def list_omitted() -> list[str]:
    """A sentence for each side that is not there."""
    missing = [
        f"{name}: not installed; `make peers` does." for name in PEERS if name not in peers.read_installed_versions()
    ]
    return missing if databases.has_postgresql() else [databases.POSTGRESQL_OMITTED, *missing]
