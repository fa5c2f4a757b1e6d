"""An organization that is well, on a server that knows its own address, and the doctor beside it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from glific_gpt.doctor import Finding, examine
from glific_gpt.doctor.checks import CHECKS
from tests.conftest import OpenHouse
from tests.support import databases
from tests.support.house import House, Ngo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import organizations_of


@dataclass
class Doctor:
    """The doctor in a process of its own settings, as the command is."""

    house: House

    def check(self, name: str, slug: str = "alice") -> Finding:
        """What one check finds."""
        (look,) = (check.look for check in CHECKS if check.name == name)
        with self.house.app.app_context():
            return look(slug)

    def examine(self, slug: str = "alice", *, dry_run: bool = False) -> dict[str, Finding]:
        with self.house.app.app_context():
            return {finding.check: finding for finding in examine(slug, dry_run=dry_run)}


class OpenDoctor(Protocol):
    """A doctor with other settings than usual."""

    def __call__(self, **settings: Any) -> Doctor: ...


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The checks ask through the nouns, which are tested on each kind of database."""
    return databases.copy_of(sqlite_template, tmp_path)


@pytest.fixture
def doctor_with(house: House, database_url: str, openai: OpenAIStandIn) -> Iterator[OpenDoctor]:
    with ExitStack() as stack:

        def begin(**wanted: Any) -> Doctor:
            known = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
            settings = known | {"public_url": house.url} | wanted
            return Doctor(stack.enter_context(organizations_of(**settings)))

        yield begin


@pytest.fixture
def doctor(doctor_with: OpenDoctor) -> Doctor:
    return doctor_with()


@pytest.fixture
def other_house(open_a_house: OpenHouse, sqlite_template: Path, tmp_path: Path) -> House:
    """Another server of ours, with a database of its own."""
    folder = tmp_path / "other"
    folder.mkdir()
    return open_a_house(database_url=databases.copy_of(sqlite_template, folder))


@pytest.fixture(autouse=True)
def well(alice: Ngo) -> Ngo:
    return alice
