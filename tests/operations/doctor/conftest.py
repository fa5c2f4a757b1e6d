"""A working organization on a server, and the doctor in a second process with its own settings."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from glific_gpt.operations.doctor import CheckResult, run_checks
from glific_gpt.operations.doctor.checks import CHECKS
from tests.conftest import StartServer
from tests.support import databases
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import open_database


@dataclass
class Doctor:
    """The doctor with its own settings, as the command has them."""

    server: RunningServer

    def check(self, name: str, slug: str = "alice") -> CheckResult:
        """Run one check."""
        (run,) = (check.run for check in CHECKS if check.name == name)
        with self.server.app.app_context():
            return run(slug)

    def run_checks(self, slug: str = "alice", *, dry_run: bool = False) -> dict[str, CheckResult]:
        with self.server.app.app_context():
            return {result.check: result for result in run_checks(slug, dry_run=dry_run)}


class OpenDoctor(Protocol):
    """Returns a doctor with these settings."""

    def __call__(self, **settings: Any) -> Doctor: ...


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Use SQLite only: the checks query through domain modules, which are tested on both databases."""
    return databases.copy_template(sqlite_template, tmp_path)


@pytest.fixture
def doctor_with(server: RunningServer, database_url: str, openai: OpenAIStandIn) -> Iterator[OpenDoctor]:
    with ExitStack() as stack:

        def open_doctor(**settings: Any) -> Doctor:
            defaults = {
                "database_url": database_url,
                "openai_base_url": openai.base_url,
                "glific_hosts": "127.0.0.1",
                "public_url": server.url,
            }
            return Doctor(stack.enter_context(open_database(**(defaults | settings))))

        yield open_doctor


@pytest.fixture
def doctor(doctor_with: OpenDoctor) -> Doctor:
    return doctor_with()


@pytest.fixture
def other_server(start_server: StartServer, sqlite_template: Path, tmp_path: Path) -> RunningServer:
    """A second server of this software with its own database."""
    folder = tmp_path / "other"
    folder.mkdir()
    return start_server(database_url=databases.copy_template(sqlite_template, folder))


@pytest.fixture(autouse=True)
def working_organization(alice: TestOrganization) -> TestOrganization:
    return alice
