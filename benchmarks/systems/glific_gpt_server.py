"""glific_gpt as a system: it authenticates, decrypts the key, checks the allowlist and records each call."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from benchmarks import server
from benchmarks.databases import sqlite_database
from benchmarks.systems.system import (
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

DATABASES: dict[str, Callable[[], AbstractContextManager[str]]] = {
    SQLITE: sqlite_database,
    POSTGRESQL: postgresql_database,
    SIGNED: sqlite_database,
    SIGNED_ON_POSTGRESQL: postgresql_database,
    AUTO: sqlite_database,
    AUTO_ON_POSTGRESQL: postgresql_database,
    WITH_MEMORY: sqlite_database,
}

FLOW_FIELDS = {"contact": {"id": 21}, "flow_id": "5"}
"""Fields that memory and later answers need."""

REMEMBERED_TURNS = 10
REMEMBERED_QUESTION = "When do I give ORS to a child, how much of it, and how often? " * 4


@contextmanager
def start(name: str, upstream: str, **settings: object) -> Iterator[System]:
    """Start the server on the database of this system, with one organization."""
    with DATABASES[name]() as url:
        environ = server.build_environment(url, upstream, glific_hosts="127.0.0.1", **settings)
        server.migrate(environ)
        is_signed, is_auto = name in {SIGNED, SIGNED_ON_POSTGRESQL}, name in {AUTO, AUTO_ON_POSTGRESQL}
        glific_url = "http://127.0.0.1:9" if is_auto else ""  # never called, because no answer comes late
        target = server.create_organization(environ, signed=is_signed, glific_url=glific_url)
        if is_auto:
            target = replace(target, url=f"{target.url}?mode=auto", body=target.body | FLOW_FIELDS)
        with server.run_server(environ) as program:
            if name == WITH_MEMORY:
                target = _remember_turns(target)
            yield System(name, [target], program)


def _remember_turns(target: Target) -> Target:
    """Ask some questions of a conversation. Each call to the returned target asks the next one."""
    body = target.body | FLOW_FIELDS | {"question_text": REMEMBERED_QUESTION, "thread_id": ""}
    for _ in range(REMEMBERED_TURNS):
        headers = target.headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(target.url, json.dumps(body).encode(), headers)  # noqa: S310 - a server started here
        with urllib.request.urlopen(request) as response:  # noqa: S310
            body["thread_id"] = json.load(response)["thread_id"]
    return replace(target, body=body)
