"""Fixtures of the console tests: signed-in users, browser windows and a shared server."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser

from glific_gpt.accounts.tables import Role
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_anonymous, create_user
from tests.support.chromium import Theme, Window, open_browser_window
from tests.support.databases import copy_template
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization, run_server
from tests.support.settings import create_settings


class Staff(Protocol):
    """Create and sign in a member of an organization with this role, or an administrator if the role is None."""

    def __call__(self, role: Role | None, *, slug: str = "alice") -> ConsoleUser: ...


@pytest.fixture
def staff(server: RunningServer, alice: TestOrganization) -> Iterator[Staff]:
    with ExitStack() as stack:

        def sign_in(role: Role | None, *, slug: str = alice.slug) -> ConsoleUser:
            email = f"{role or 'admin'}@{slug}.example.org"
            person = create_user(server, email, role, slug if role else None)
            stack.callback(person.client.close)
            answer = person.sign_in()
            assert answer.status_code == 302, answer.text[:2000]
            return person

        yield sign_in


@pytest.fixture
def front(start_server: StartServer, server: RunningServer) -> RunningServer:
    """A second server process, with a public URL that leads to the first one, so that the setup test can reach it."""
    return start_server(public_url=server.url)


@pytest.fixture
def front_editor(front: RunningServer, alice: TestOrganization) -> Iterator[ConsoleUser]:
    """An editor of alice, signed in to the second process."""
    person = create_user(front, "front@alice.example.org", Role.EDITOR, alice.slug)
    assert person.sign_in().status_code == 302
    yield person
    person.client.close()


@pytest.fixture
def owner(staff: Staff) -> ConsoleUser:
    return staff(Role.OWNER)


@pytest.fixture
def editor(staff: Staff) -> ConsoleUser:
    return staff(Role.EDITOR)


@pytest.fixture
def viewer(staff: Staff) -> ConsoleUser:
    return staff(Role.VIEWER)


@pytest.fixture
def administrator(staff: Staff) -> ConsoleUser:
    return staff(None)


@pytest.fixture
def nobody(server: RunningServer) -> Iterator[ConsoleUser]:
    """A client without a session."""
    person = create_anonymous(server)
    yield person
    person.client.close()


@pytest.fixture(scope="module")
def shared_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server on SQLite that all tests of a module share, because one for each test would take too long."""
    url = copy_template(sqlite_template, tmp_path_factory.mktemp("lasting"))
    with (
        OpenAIStandIn() as openai,
        run_server(create_settings(database_url=url, openai_base_url=openai.base_url)) as server,
    ):
        yield server


class OpenWindow(Protocol):
    """Open a browser window. It gets the session cookies of the given user."""

    def __call__(self, person: ConsoleUser | None = None, *, width: int = 1280, theme: Theme = "light") -> Window: ...


@pytest.fixture
def open_window(browser: Browser, server: RunningServer) -> Iterator[OpenWindow]:
    with ExitStack() as stack:

        def start(person: ConsoleUser | None = None, *, width: int = 1280, theme: Theme = "light") -> Window:
            shown = stack.enter_context(open_browser_window(browser, server.url, width=width, theme=theme))
            if person is not None:
                shown.add_cookies(person.client.cookies.jar)
            return shown

        yield start
