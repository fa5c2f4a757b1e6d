"""The world that tests run in: a database of each kind, a stand-in for OpenAI, a server, and a cast of three."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page

from tests.support import databases
from tests.support.chromium import chromium
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo, open_house
from tests.support.mail_server import MailServer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import made_up_settings

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    databases.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A migrated database, made once and emptied for each test."""
    databases.require_postgresql()
    with databases.postgresql_database() as url:
        databases.migrate(url)
        yield url


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without a row, of each kind in turn."""
    if request.param == "sqlite":
        return databases.copy_of(request.getfixturevalue("sqlite_template"), tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    databases.empty(url)
    return url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """No longer than a module: it runs an event loop, beside which tests elsewhere cannot run one of theirs."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """In a window of its own, which remembers nothing."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def openai() -> Iterator[OpenAIStandIn]:
    with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def glific() -> Iterator[GlificStandIn]:
    with GlificStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.close()


class OpenHouse(Protocol):
    """Starts a server with other settings than usual; it is closed at the end of the test."""

    def __call__(self, *, works: bool = False, **settings: Any) -> House: ...


@pytest.fixture
def open_a_house(database_url: str, openai: OpenAIStandIn) -> Iterator[OpenHouse]:
    with ExitStack() as stack:

        def start(*, works: bool = False, **wanted: Any) -> House:
            known = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
            return stack.enter_context(open_house(made_up_settings(**(known | wanted)), works=works))

        yield start


@pytest.fixture
def house(open_a_house: OpenHouse) -> House:
    """A server with the usual settings."""
    return open_a_house()


@pytest.fixture
def working_house(open_a_house: OpenHouse) -> House:
    """A server that also works on answers that come later."""
    return open_a_house(works=True)


@pytest.fixture
def alice(house: House) -> Ngo:
    """The NGO that a test is about."""
    return house.ngo("alice")


@pytest.fixture
def bob(house: House) -> Ngo:
    """Another NGO on the same server, which must never see anything of alice's."""
    return house.ngo("bob")
