"""Systems that are available on this machine, and reasons for those that are not."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import databases
from benchmarks.systems import glific_gpt_server, peers
from benchmarks.systems.system import (
    DIRECT,
    FERRO,
    FERRO_WITH_LOG,
    LITELLM,
    OWN_SYSTEMS,
    PEERS,
    PORTKEY,
    System,
)
from benchmarks.targets import CHAT_BODY, Target

StartSystem = Callable[[str], AbstractContextManager[System]]


@contextmanager
def start_direct(upstream: str) -> Iterator[System]:
    """Yield the upstream itself as a system."""
    yield System(DIRECT, [Target(f"{upstream}/chat/completions", {}, dict(CHAT_BODY))])


def list_systems() -> dict[str, StartSystem]:
    """Return the functions that start the systems, by name, in the order of the tables."""
    available = [name for name in OWN_SYSTEMS if "PostgreSQL" not in name or databases.has_postgresql()]
    return {DIRECT: start_direct} | {name: partial(glific_gpt_server.start, name) for name in available} | list_peers()


def list_peers() -> dict[str, StartSystem]:
    """Return the installed gateways of others."""
    starts: dict[str, StartSystem] = {
        LITELLM: peers.start_litellm,
        PORTKEY: peers.start_portkey,
        FERRO: peers.start_ferro,
        FERRO_WITH_LOG: peers.start_ferro_with_log,
    }
    return {name: starts[name] for name in peers.read_installed_versions()}


def list_omitted() -> list[str]:
    """Return a sentence for each system that is not available."""
    installed = peers.read_installed_versions()
    missing = [f"{name}: not installed. `make peers` installs it." for name in PEERS if name not in installed]
    return missing if databases.has_postgresql() else [databases.POSTGRESQL_OMITTED, *missing]
