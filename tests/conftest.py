"""Fixtures of all tests: databases, stand-ins for outside services, a server, and two organizations."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from glific_gpt.runtime import garbage_collector
from glific_gpt.server.watchdog import blocked_count
from tests.support.order import slow_first

# The app and Playwright take seconds to import, so that only the fixtures that need them import them.
if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.chromium import SessionBrowser
    from tests.support.glific_stand_in import GlificStandIn
    from tests.support.mail_server import MailServer
    from tests.support.openai_stand_in import OpenAIStandIn
    from tests.support.server import RunningServer, TestOrganization

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest creates a folder there that only this user can read
MEMORY_BYTES = 1 << 30

OBJECTS_BETWEEN_COLLECTIONS = 10_000
"""New objects until the next garbage collection. The app of an ended test is then collected while it is young, and the
objects that live longer are scanned rarely. Python's own number is 700."""

SQLITE, POSTGRESQL = "sqlite", "postgresql"
FOLDERS_ON_BOTH_DATABASES = ("calls", "database", "durable", "emails", "rules", "usage")
"""Folders of tests that run on both kinds of database. Tests elsewhere need the marker `both_databases`."""


def pytest_configure() -> None:
    """Keep the files of tests in memory, because each SQLite database would wait for the disk several times."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, created once and copied for each test."""
    from tests.support import databases

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    databases.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a migrated PostgreSQL database, created once and emptied for each test."""
    from tests.support import databases

    databases.require_postgresql()
    with databases.postgresql_database() as url:
        databases.migrate(url)
        yield url


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark slow tests, which are recognized by their folder or their fixtures."""
    names = set(getattr(item, "fixturenames", ()))
    if "browser" in names:
        item.add_marker("browser")
    if names & {"start_program", "start_worker"}:
        item.add_marker("kills")
    if _folder(item) == "journeys" or "processes" in names:
        item.add_marker("journey")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """Collect tests without garbage collections, and exclude modules and tests from later ones.

    Garbage collections would take a tenth of the CPU time of all tests.
    """
    with garbage_collector.paused_for_start():
        collected = yield
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    return collected


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests, after pytest-randomly has shuffled them."""
    if worker := getattr(config, "workerinput", None):
        items[:] = slow_first(items, worker["workercount"])


def _folder(item: pytest.Item) -> str:
    """Return the name of the test's folder below this one."""
    return item.path.parts[len(Path(__file__).parent.parts)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a test, unless the test does."""
    if "database_url" not in metafunc.fixturenames or _sets_database(metafunc):
        return
    test = metafunc.definition
    is_on_both = _folder(test) in FOLDERS_ON_BOTH_DATABASES or test.get_closest_marker("both_databases")
    kinds = (SQLITE, POSTGRESQL) if is_on_both else (SQLITE,)
    metafunc.parametrize("database_url", kinds, indirect=True)


def _sets_database(metafunc: pytest.Metafunc) -> bool:
    """Report whether a marker or another `database_url` fixture sets the test's database."""
    marked = any("database_url" in marker.args[0] for marker in metafunc.definition.iter_markers("parametrize"))
    definition = metafunc.definition._fixtureinfo.name2fixturedefs["database_url"][-1]
    return marked or definition.func.__module__ != __name__


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call() -> Iterator[None]:
    """Wait for log lines after each test, and fail a test that has blocked the event loop.

    The server logs a call after its reply, and the line belongs to the output of the test that made the call.
    """
    before = blocked_count()
    try:
        result = yield
    finally:
        if serving := sys.modules.get("tests.support.serving_in_process"):
            serving.settle()
    assert blocked_count() == before, "The event loop was blocked: see event_loop_blocked in the log."
    return result


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated database without rows, of the kind that the test runs on."""
    from tests.support import databases

    if request.param == SQLITE:
        return databases.copy_template(request.getfixturevalue("sqlite_template"), tmp_path)
    url: str = request.getfixturevalue("postgresql_url")
    databases.delete_all_rows(url)
    return url


@pytest.fixture(scope="session")
def session_browser() -> "Iterator[SessionBrowser]":
    """The browser of all tests of this process. Starting one takes as long as several tests."""
    from tests.support.chromium import session_browser

    with session_browser() as started:
        yield started


@pytest.fixture
def browser(session_browser: "SessionBrowser") -> "Iterator[Browser]":
    """A browser that this test can control. Each test opens contexts of its own, and closes them."""
    with session_browser.controlled() as browser:
        yield browser
        assert not browser.contexts, "A test has left a context open."


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A page in a new browser context without cookies and storage."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def openai() -> "Iterator[OpenAIStandIn]":
    from tests.support.openai_stand_in import OpenAIStandIn

    with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def other_openai() -> "Iterator[OpenAIStandIn]":
    """A second server with OpenAI's API, such as one of an organization's own models."""
    from tests.support.openai_stand_in import OpenAIStandIn

    with OpenAIStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def glific() -> "Iterator[GlificStandIn]":
    from tests.support.glific_stand_in import GlificStandIn

    with GlificStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def mail_server() -> "Iterator[MailServer]":
    from tests.support.mail_server import MailServer

    server = MailServer()
    yield server
    server.close()


class StartServer(Protocol):
    """Start a server with these settings. It is closed at the end of the test."""

    def __call__(self, *, with_worker: bool = False, **settings: Any) -> "RunningServer": ...


@pytest.fixture
def password_cost() -> Mapping[str, int]:
    """Parameters of Argon2. Only tests of passwords use those of production, which take 30 ms for each hash."""
    from tests.support.apps import CHEAP_PASSWORDS

    return CHEAP_PASSWORDS


@pytest.fixture
def patient_deferral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next servers take seconds to defer a call, as on a busy machine. Glific would not wait that long."""
    from glific_gpt.calls.deferred import deferral

    names = ("DEFER_STATEMENT_TIMEOUT_SECONDS", "DEFER_QUEUE_TIMEOUT_SECONDS", "ENQUEUE_QUEUE_TIMEOUT_SECONDS")
    for limit in names:
        monkeypatch.setattr(deferral, limit, 10.0)


@pytest.fixture
def start_server(database_url: str, openai: "OpenAIStandIn", password_cost: Mapping[str, int]) -> Iterator[StartServer]:
    from tests.support.server import run_server
    from tests.support.settings import create_settings

    with ExitStack() as stack:

        def start(*, with_worker: bool = False, **settings: Any) -> "RunningServer":
            defaults = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
            all_settings = create_settings(**(defaults | settings))
            return stack.enter_context(run_server(all_settings, with_worker=with_worker, passwords=password_cost))

        yield start


@pytest.fixture
def server(start_server: StartServer) -> "RunningServer":
    """A server with default settings."""
    return start_server()


@pytest.fixture
def server_with_worker(start_server: StartServer) -> "RunningServer":
    """A server that also runs deferred calls."""
    return start_server(with_worker=True)


@pytest.fixture
def numbered_organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Number organizations from 1, for tests that write rows by SQL. Their ids are random otherwise."""
    ids = count()
    monkeypatch.setattr(
        "glific_gpt.organizations.tables.secrets", SimpleNamespace(randbelow=lambda _maximum: next(ids))
    )


@pytest.fixture
def alice(server: "RunningServer") -> "TestOrganization":
    """The organization under test."""
    return server.add_organization("alice")


@pytest.fixture
def bob(server: "RunningServer") -> "TestOrganization":
    """Another organization on the same server, which must never see data of alice."""
    return server.add_organization("bob")
