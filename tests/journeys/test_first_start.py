"""First start without a terminal: the log shows a link, with which one person becomes the administrator."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.console.users import PASSWORD, ConsoleUser, create_anonymous, create_user
from tests.support.serving import ServerProcesses, run_server_processes

EVENT = "administrator_missing"
PUBLIC_URL = "https://gpt.example.org"


def links(server: ServerProcesses) -> list[str]:
    """Return the links in the log so far."""
    events: list[dict[str, Any]] = [json.loads(line) for line in server.program.errors.splitlines()]
    return [event["set_up_link"] for event in events if event["event"] == EVENT]


@contextmanager
def visiting(server: ServerProcesses) -> Iterator[ConsoleUser]:
    visitor = create_anonymous(server)
    yield visitor
    visitor.client.close()


@pytest.mark.both_databases
def test_the_link_of_the_log_sets_up_a_server_of_several_processes_once(tmp_path: Path, database_url: str) -> None:
    with run_server_processes(tmp_path / "first", is_forked=True, database_url=database_url, processes=2) as server:
        (link,) = links(server)
        assert link.startswith("http://127.0.0.1:8000/console/set-up?token=ggs_")
        path = link.removeprefix("http://127.0.0.1:8000")
        with visiting(server) as visitor:
            assert visitor.get("/console/").headers["Location"] == "/console/set-up"
            form = {"token": path.partition("=")[2], "email": "asha@example.org"}
            form |= {"password": PASSWORD, "password_confirm": PASSWORD}
            assert visitor.post("/console/set-up", form, page=path).status_code == 302
            assert visitor.get("/console/server/people").status_code == 200
        with visiting(server) as visitor:
            assert visitor.get(path).headers["Location"] == "/console/"
    with run_server_processes(tmp_path / "second", is_forked=True, database_url=database_url) as server:
        assert links(server) == []
        assert EVENT not in server.program.errors


def test_the_link_begins_with_the_public_url(tmp_path: Path, database_url: str) -> None:
    with run_server_processes(tmp_path, is_forked=True, database_url=database_url, public_url=PUBLIC_URL) as server:
        (link,) = links(server)
        assert link.startswith(f"{PUBLIC_URL}/console/set-up?token=ggs_")
        create_user(server, "admin@example.org")  # as `flask users create --admin` does
        with visiting(server) as visitor:
            assert visitor.get(link.removeprefix(PUBLIC_URL)).headers["Location"] == "/console/"
