"""glific_gpt as a system: it authenticates, decrypts the key, checks the allowlist and records each call."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from benchmarks import server
from benchmarks.databases import sqlite_database
from benchmarks.systems.system import (
    ASYNC,
    ASYNC_ON_POSTGRESQL,
    AUTO,
    AUTO_ON_POSTGRESQL,
    POSTGRESQL,
    SIGNED,
    SIGNED_ON_POSTGRESQL,
    SQLITE,
    WITH_MEMORY,
    System,
)
from benchmarks.targets import Target
from tests.support.databases import postgresql_database


@dataclass(frozen=True)
class Variant:
    """A database, and how the server is called."""

    database: Callable[[], AbstractContextManager[str]]
    is_signed: bool = False
    mode: str = ""
    has_memory: bool = False


VARIANTS = {
    SQLITE: Variant(sqlite_database),
    POSTGRESQL: Variant(postgresql_database),
    SIGNED: Variant(sqlite_database, is_signed=True),
    SIGNED_ON_POSTGRESQL: Variant(postgresql_database, is_signed=True),
    AUTO: Variant(sqlite_database, mode="auto"),
    AUTO_ON_POSTGRESQL: Variant(postgresql_database, mode="auto"),
    ASYNC: Variant(sqlite_database, mode="async"),
    ASYNC_ON_POSTGRESQL: Variant(postgresql_database, mode="async"),
    WITH_MEMORY: Variant(sqlite_database, has_memory=True),
}

MODES = ("sync", "auto", "async")

ONLY_ACCEPTED: dict[str, object] = {
    "worker": "separate",
    "max_waiting_calls_per_organization": 100_000,
    "max_waiting_megabytes_per_organization": 100_000,
}
"""Settings with which calls with mode=async are stored, and not worked on."""

UNREACHABLE = "http://127.0.0.1:9"
"""Address of a Glific that is never called, because no answer is delivered."""

FLOW_FIELDS = {"contact": {"id": 21}, "flow_id": "5"}
"""Fields that memory and later answers need."""

REMEMBERED_TURNS = 10
REMEMBERED_QUESTION = "When do I give ORS to a child, how much of it, and how often? " * 4


@contextmanager
def start(name: str, upstream: str, **settings: object) -> Iterator[System]:
    """Start the server on the database of this system, with one organization."""
    variant = VARIANTS[name]
    with variant.database() as url:
        environ = server.build_environment(url, upstream, **settings_of(variant.mode) | settings)
        server.migrate(environ)
        glific_url = UNREACHABLE if variant.mode else ""
        target = server.create_organization(environ, signed=variant.is_signed, glific_url=glific_url)
        if variant.mode:
            target = with_mode(target, variant.mode)
        with server.run_server(environ) as program:
            yield System(name, [_remember_turns(target) if variant.has_memory else target], program)


def settings_of(mode: str) -> dict[str, object]:
    """Return the settings of a server that is called in this mode."""
    return {"glific_hosts": "127.0.0.1"} | (ONLY_ACCEPTED if mode == "async" else {})


def with_mode(target: Target, mode: str) -> Target:
    """Return the target with this mode, and with the fields that a later answer needs."""
    return replace(target, url=f"{target.url}?mode={mode}", body=target.body | FLOW_FIELDS)


def _remember_turns(target: Target) -> Target:
    """Ask some questions of a conversation. Each call to the returned target asks the next one."""
    body = target.body | FLOW_FIELDS | {"question_text": REMEMBERED_QUESTION, "thread_id": ""}
    for _ in range(REMEMBERED_TURNS):
        headers = target.headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(target.url, json.dumps(body).encode(), headers)  # noqa: S310 - a server started here
        with urllib.request.urlopen(request) as response:  # noqa: S310
            body["thread_id"] = json.load(response)["thread_id"]
    return replace(target, body=body)
