"""Database use of the pages: reports do not block calls, and a busy database gives an error page."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Membership, Role
from glific_gpt.clock import now
from glific_gpt.database import db, reading, transaction
from glific_gpt.organizations import store
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import MAX_PAGES, services
from tests.api.client import client_of
from tests.console.users import ConsoleUser, create_user
from tests.support.call_records import create_call
from tests.support.database_faults import without_a_connection
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_ok

ALICE = "/console/organizations/alice"
COUNTING = (
    *(f"{ALICE}{page}" for page in ("/", "/calls", "/calls?error=refused", "/calls.csv", "/openai", "/settings")),
    *(f"{ALICE}/audit", "/console/server/audit", "/console/organizations"),
)
ACCOUNT_PAGE = "/console/account/password"
LONG = ("FROM calls", "JOIN calls", "FROM audit_entries")

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@contextmanager
def asked_of_the_calls_connections(server: RunningServer) -> Iterator[list[str]]:
    """Record the statements on the connections that calls use."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(" ".join(statement.split()))

    with server.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine, "before_cursor_execute", note)


@on_sqlite
def test_pages_of_strangers_ask_nothing_of_the_database(server: RunningServer, nobody: ConsoleUser) -> None:
    with asked_of_the_calls_connections(server) as asked:
        for path in ("/console/account/sign-in", "/console/account/forgotten", "/robots.txt", "/console/unknown"):
            assert nobody.get(path).status_code in {200, 404}
        assert nobody.get(f"{ALICE}/calls").status_code == 302
    assert asked == []


@on_sqlite
@pytest.mark.parametrize("path", COUNTING)
def test_reports_do_not_use_the_connection_of_calls(
    server: RunningServer, alice: TestOrganization, administrator: ConsoleUser, path: str
) -> None:
    create_call(alice)
    with asked_of_the_calls_connections(server) as asked:
        assert administrator.get(path).status_code == 200
    assert asked
    assert [statement for statement in asked if any(part in statement for part in LONG)] == []


def test_a_call_is_answered_while_a_report_is_read(server: RunningServer, alice: TestOrganization) -> None:
    with server.app.app_context(), reading() as session:
        assert session.scalar(sa.select(Organization.name)) == "Alice"
        require_ok(alice.ask())


def test_a_reading_session_cannot_write(server: RunningServer, alice: TestOrganization) -> None:
    with server.app.app_context():
        with pytest.raises(DBAPIError, match=r"read-?only"), reading() as session:
            session.execute(sa.update(Organization).values(name="Mallory"))
        with transaction() as session:
            assert store.find(session, alice.slug).name == "Alice"
            store.find(session, alice.slug).name = "Alice again"


def test_reading_within_a_transaction_leaves_it_open(server: RunningServer, alice: TestOrganization) -> None:
    with server.app.app_context():
        with transaction() as session:
            store.find(session, alice.slug).name = "Changed"
            session.flush()
            with reading() as other:
                assert other.scalar(sa.select(Organization.name)) == "Alice"
        with reading() as other:
            found = store.find(other, alice.slug)
        assert found.name == "Changed"


@on_postgresql
def test_reports_have_a_longer_time_out_than_calls(server: RunningServer) -> None:
    slow = sa.select(sa.func.pg_sleep(1.2))
    with server.app.app_context():
        with reading() as session:
            session.execute(slow)
        with pytest.raises(OperationalError), reading(timeout=0.1) as session:
            session.execute(slow)


@on_sqlite
@pytest.mark.parametrize("path", [f"{ALICE}/", "/console/account/sign-in"])
def test_a_busy_database_gives_an_error_page(server: RunningServer, viewer: ConsoleUser, path: str) -> None:
    with without_a_connection(server):
        answer = viewer.get(path)
    assert (answer.status_code, "The server is busy" in answer.text) == (503, True)


@on_sqlite
def test_an_unknown_address_needs_no_database(server: RunningServer, viewer: ConsoleUser) -> None:
    with without_a_connection(server):
        assert viewer.get("/console/nothing").status_code == 404


def test_pages_of_administrators_do_not_load_all_organizations(
    server: RunningServer, bob: TestOrganization, administrator: ConsoleUser
) -> None:
    with asked_of_the_calls_connections(server) as asked:
        text = administrator.get(f"{ALICE}/glific").text
    assert [statement for statement in asked if "FROM organizations ORDER BY" in statement] == []
    assert "Other organizations" not in text


def test_a_user_of_several_organizations_gets_a_link_to_the_others(
    server: RunningServer, bob: TestOrganization, viewer: ConsoleUser
) -> None:
    assert "Other organizations" not in viewer.get(f"{ALICE}/").text
    asha = create_user(server, "asha@example.org", Role.VIEWER, "alice")
    with server.app.app_context(), transaction() as session:
        theirs = store.find(session, bob.slug).id
        user = people.find_person(session, asha.email)
        session.add(Membership(user_id=user.id, organization_id=theirs, role=Role.VIEWER.value, created_at=now()))
    with asha.client:
        asha.sign_in()
        assert "Other organizations" in asha.get(f"{ALICE}/").text


def test_the_reports_of_an_organization_wait_for_each_other_only(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    began, may_end = threading.Event(), threading.Event()

    def read_slowly(organization_id: int) -> None:
        with server.app.app_context(), reading(organization_id):
            began.set()
            assert may_end.wait(10)

    with server.app.app_context(), reading() as session:
        organization, another = (store.find(session, each.slug).id for each in (alice, bob))
    with ThreadPoolExecutor(1) as pool, server.app.app_context():
        slow = pool.submit(read_slowly, organization)
        assert began.wait(10)
        with pytest.raises(PoolTimeoutError), reading(organization, timeout=0.05):
            pass
        with reading(another) as session:
            assert store.find(session, bob.slug)
        may_end.set()
        with reading(organization) as session:
            assert store.find(session, alice.slug)
        slow.result()


@pytest.mark.parametrize("path", [f"{ALICE}/", f"{ALICE}/calls", f"{ALICE}/openai"])
def test_an_organization_cannot_take_the_threads_of_all_pages(
    server: RunningServer, viewer: ConsoleUser, alice: TestOrganization, bob: TestOrganization, path: str
) -> None:
    with server.app.app_context(), ExitStack() as stack:
        for _ in range(MAX_PAGES):
            stack.enter_context(services().pages.hold(alice.slug))
        refused = viewer.get(path)
        assert refused.status_code == 429
        assert "Many pages of this organization are loading at the same time." in refused.text
        refused = client_of(server, alice.slug).get("/organizations/alice/calls")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert client_of(server, bob.slug).get("/organizations/bob/calls").status_code == 200
    for _ in range(MAX_PAGES + 1):
        assert viewer.get(path).status_code == 200
    with server.app.app_context(), services().pages.hold(alice.slug):
        assert services().pages._active[alice.slug] == 1


@pytest.mark.parametrize("path", ["/console/help", "/console/", "/console/account/", ACCOUNT_PAGE])
def test_pages_without_an_organization_count_for_the_first_one_of_the_person(
    server: RunningServer, viewer: ConsoleUser, administrator: ConsoleUser, path: str
) -> None:
    with server.app.app_context(), ExitStack() as stack:
        for _ in range(MAX_PAGES):
            stack.enter_context(services().pages.hold("alice"))
        assert viewer.get(path).status_code == 429
        assert viewer.get("/console/static/console.css").status_code in {200, 404}
        assert administrator.get(path).status_code != 429
    for _ in range(MAX_PAGES + 1):
        assert viewer.get(path).status_code in {200, 302}
    with server.app.app_context():
        assert not services().pages._active


def test_a_stranger_cannot_use_up_the_pages_of_an_organization(
    server: RunningServer, viewer: ConsoleUser, bob: TestOrganization
) -> None:
    with server.app.app_context():
        assert viewer.get("/console/organizations/bob/").status_code == 404
        assert not services().pages._active
