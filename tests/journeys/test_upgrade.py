"""Upgrade from the release before this one, and the way back, while calls go on: nothing is lost."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest
from sqlalchemy import select

from glific_gpt.calls.tables import Call
from glific_gpt.database import transaction
from tests.support import databases, http
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import FLASK, ROOT, SERVER, Program, free_port, start
from tests.support.releases import check_out
from tests.support.reverse_proxy import run_nginx
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import SECRET_KEY, open_database, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY
from tests.support.steady_calls import WAIT_SECONDS, steady_calls

CREATE_ORGANIZATION = """
import json, sys
from types import SimpleNamespace
from flask_migrate import upgrade
from tests.support.serving import open_database
settings = json.loads(sys.argv[1])
with open_database(**settings) as server:
    with server.app.app_context():
        upgrade()
    alice = server.add_organization("alice")
    alice.connect(SimpleNamespace(url=sys.argv[2]))
    print(json.dumps({"token": alice.token, "key": alice.key}))
"""
"""Run by the code of the earlier release, whose tables it needs."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/upgraded.db"
        return
    databases.require_postgresql()
    with databases.postgresql_database() as url:
        yield url


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the release before this one. Its modules are compiled once for all tests."""
    return check_out(tmp_path_factory.mktemp("release"))


@dataclass
class Servers:
    """Two servers on one database behind nginx, which are replaced one after the other."""

    folder: Path
    settings: dict[str, Any]
    stack: ExitStack
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    running: dict[int, Program] = field(default_factory=dict)

    def replace(self, port: int, tree: Path) -> Program:
        """Stop the server on this port, if there is one, and start one with the code in `tree`."""
        if port in self.running:
            self.stop(port)
        environ = to_environment(**self.settings, bind=f"127.0.0.1:{port}")
        program = self.stack.enter_context(start(SERVER, self._new_folder(), environ, tree, is_forked=tree == ROOT))
        wait_until_ready(f"http://127.0.0.1:{port}", program)
        self.running[port] = program
        return program

    def stop(self, port: int) -> None:
        """Stop the server on this port. It writes the results that the database did not accept before."""
        program = self.running.pop(port)
        program.send(SIGTERM)
        assert program.wait_for_exit() == 0, program.errors

    def run(self, command: tuple[str, ...], tree: Path) -> str:
        """Run a command that must succeed, and return its output."""
        environ = to_environment(**self.settings)
        with start(command, self._new_folder(), environ, tree, is_forked=tree == ROOT) as program:
            assert program.wait_for_exit() == 0, program.errors
            return program.output

    def _new_folder(self) -> Path:
        return self.folder / str(len(list(self.folder.glob("*"))))


@contextmanager
def open_servers(folder: Path, url: str, openai: OpenAIStandIn) -> Iterator[Servers]:
    settings = {"database_url": url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
    settings |= {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    with ExitStack() as stack:
        yield Servers(folder, settings, stack)


def test_an_upgrade_behind_a_proxy_and_the_way_back_lose_nothing(
    tmp_path: Path, release: Path, empty_database: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    proxy = free_port()
    with (
        open_servers(tmp_path / "logs", empty_database, openai) as servers,
        run_nginx(tmp_path / "nginx", proxy, servers.ports) as nginx,
    ):
        script = (sys.executable, "-c", CREATE_ORGANIZATION, json.dumps(servers.settings), glific.url)
        created = json.loads(servers.run(script, release))
        for port in servers.ports:
            servers.replace(port, release)
        alice = TestOrganization(RunningServer(None, f"http://127.0.0.1:{proxy}"), "alice", **created)  # type: ignore[arg-type]
        with steady_calls(alice, modes=("sync", "async")) as calls:
            calls.wait_for(20)
            servers.run((*FLASK, "db", "upgrade"), ROOT)
            calls.wait_for(20)
            for port in servers.ports:
                servers.replace(port, ROOT)
                calls.wait_for(20)
            # Back: the earlier release runs on the newer database, and needs no downgrade.
            servers.replace(servers.ports[0], release)
            calls.wait_for(20)
            assert http.get(f"http://127.0.0.1:{servers.ports[0]}/readyz").status_code == 200
        assert not calls.lost(), (calls.results, unusual_errors(nginx))
        wait_until(lambda: calls.ids["pending"] <= delivered(glific), WAIT_SECONDS)
        for port in servers.ports:
            servers.stop(port)
    assert calls.ids["ok"] | calls.ids["pending"] <= answered_calls(empty_database)


def unusual_errors(nginx: Program) -> list[str]:
    """Return the errors of nginx, without those for a server that does not run."""
    return [line for line in nginx.errors.splitlines() if "connect() failed" not in line]


def delivered(glific: GlificStandIn) -> set[str]:
    """Return the ids of the calls whose flows were resumed."""
    return {str(each.result["call_id"]) for each in glific.resumptions}


def answered_calls(database_url: str) -> set[str]:
    """Return the ids of the calls whose rows say that they were answered."""
    with open_database(database_url=database_url) as server, server.app.app_context(), transaction() as session:
        return set(session.scalars(select(Call.call_id).where(Call.status == "ok")))
