"""A backup of a server under load is restored into a second database, where another server answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from glific_gpt.calls.tables import Call
from glific_gpt.database import reading
from tests.conftest import SQLITE
from tests.operations.backups.conftest import kind_of
from tests.support import databases
from tests.support.deferred import wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization, run_server
from tests.support.serving import open_database, run_server_processes
from tests.support.settings import create_settings

pytestmark = pytest.mark.both_databases

CALLERS = 4
MIN_CALLS = 8
"""Calls before the backup."""


@contextmanager
def second_database(kind: str, folder: Path) -> Iterator[str]:
    if kind == SQLITE:
        yield f"sqlite:///{folder}/second.db"
    else:
        with databases.postgresql_database() as url:
            yield url


@contextmanager
def load(organization: TestOrganization) -> Iterator[list[int]]:
    """Send calls until the block ends. Yield the list of the statuses so far, which is complete after the block."""
    statuses: list[int] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            statuses.append(organization.ask().status_code)

    threads = [threading.Thread(target=send) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(statuses) >= MIN_CALLS)
        yield statuses
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def run_flask(server: RunningServer, *arguments: str) -> Any:
    result = server.app.test_cli_runner().invoke(args=[*arguments, "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def back_up_during_a_call(server: RunningServer, statuses: list[int], file: str) -> tuple[int, Any]:
    """Back up until a call is answered meanwhile. Return the number of calls before it, and the backup."""
    while True:
        before = len(statuses)
        backup = run_flask(server, "database", "backup", file, "--force")
        if len(statuses) > before:
            return before, backup


@pytest.mark.timeout(300)
def test_a_backup_under_load_is_restored_where_another_server_answers(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    settings: dict[str, Any] = {"openai_base_url": openai.base_url, "deadline_seconds": 60}
    file = f"{tmp_path}/a.backup"
    with run_server_processes(tmp_path / "first", is_forked=True, database_url=database_url, **settings) as server:
        alice = server.add_organization("alice")
        with load(alice) as statuses:
            before, backup = back_up_during_a_call(server, statuses, file)
        assert set(statuses) == {200}
        assert before <= backup["rows"]["calls"] <= len(statuses)
    with second_database(kind_of(database_url), tmp_path) as second:
        with open_database(database_url=second) as empty:
            restored = run_flask(empty, "database", "restore", file, "--deliver-waiting")
        assert restored["rows"] == backup["rows"]
        with run_server(create_settings(database_url=second, **settings)) as other:
            again = TestOrganization(other, "alice", alice.token, alice.key)
            assert again.ask().status_code == 200
            with other.app.app_context(), reading() as session:
                assert session.scalar(select(func.count()).select_from(Call)) == backup["rows"]["calls"] + 1
