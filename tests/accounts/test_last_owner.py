"""Changes of people in two processes: an owner and an administrator remain, and no account is taken over."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.tables import Role, User
from glific_gpt.database import db, transaction
from glific_gpt.errors import Conflict
from glific_gpt.organizations import store
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_user
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

MEMBERS = "/console/organizations/alice/members"
PEOPLE = "/console/server/people"
Change = Callable[[Session, int, User], None]


def demote(session: Session, organization: int, user: User) -> None:
    people.set_role(session, organization, user, Role.VIEWER)


def deactivate(session: Session, _organization: int, user: User) -> None:
    administration.set_active(session, user, None, is_active=False)


def dismiss(session: Session, _organization: int, user: User) -> None:
    administration.revoke_admin(session, user, User(id=0))


@pytest.fixture
def other(server: RunningServer, start_server: StartServer) -> RunningServer:
    """A second process of the server, with connections of its own."""
    return start_server()


@contextmanager
def uncommitted(server: RunningServer, change: Change, email: str) -> Iterator[None]:
    """Change a person in a transaction that is open during the block."""
    with server.app.app_context(), transaction() as session:
        change(session, store.find(session, "alice").id, people.find_person(session, email))
        session.flush()
        yield


@contextmanager
def watched(server: RunningServer) -> Iterator[Event]:
    """Yield an event that is set when the server waits for a lock, or changes something."""
    reached = Event()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FOR NO KEY UPDATE" in statement or statement.startswith(("BEGIN", "DELETE", "UPDATE")):
            reached.set()

    with server.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield reached
    event.remove(engine, "before_cursor_execute", note)


def change_at_the_same_time(server: RunningServer, first: Change, email: str, second: Callable[[], Any]) -> None:
    """Do the second change, of another process, after the first was made and before it is committed."""
    with ThreadPoolExecutor(1) as thread, watched(second.person.server) as reached:  # type: ignore[attr-defined]
        with uncommitted(server, first, email):
            answer = thread.submit(second)
            assert reached.wait(TIMEOUT_SECONDS)
        answer.result()


class Post:
    """A form that a person sends."""

    def __init__(self, person: ConsoleUser, path: str, **fields: str) -> None:
        assert person.sign_in().status_code == 302
        self.person, self._path = person, path
        self._fields = {"csrf_token": person.token("/console/account/")} | fields

    def __call__(self) -> int:
        return self.person.client.post(self.person.server.url + self._path, data=self._fields).status_code


def id_of(server: RunningServer, email: str) -> int:
    with server.app.app_context(), transaction() as session:
        return people.find_person(session, email).id


def active_owners(server: RunningServer) -> list[str]:
    with server.app.app_context(), transaction() as session:
        members = people.list_members(session, store.find(session, "alice").id)
    return [member.user.email for member in members if member.role is Role.OWNER and member.user.active]


@pytest.mark.parametrize("first", [people.remove_member, demote, deactivate])
@pytest.mark.parametrize("second", ["remove", "role", "deactivate"])
def test_one_of_two_owners_who_are_removed_at_the_same_time_remains(
    server: RunningServer, other: RunningServer, alice: TestOrganization, first: Change, second: str
) -> None:
    asha, bea = (create_user(other, f"{name}@example.org", Role.OWNER, "alice") for name in ("asha", "bea"))
    boss = create_user(other, "boss@example.org")
    target = id_of(server, bea.email)
    post = (
        Post(boss, f"{PEOPLE}/{target}/deactivate")
        if second == "deactivate"
        else Post(asha, f"{MEMBERS}/{target}/{second}", role="viewer")
    )
    change_at_the_same_time(server, first, asha.email, post)
    assert active_owners(server) == [bea.email]
    for person in (asha, bea, boss):
        person.client.close()


@pytest.mark.parametrize("first", [deactivate, dismiss])
@pytest.mark.parametrize("second", ["deactivate", "dismiss"])
def test_one_of_two_administrators_who_are_removed_at_the_same_time_remains(
    server: RunningServer, other: RunningServer, alice: TestOrganization, first: Change, second: str
) -> None:
    ada, bea = (create_user(other, f"{name}@example.org") for name in ("ada", "bea"))
    post = Post(ada, f"{PEOPLE}/{id_of(server, bea.email)}/{second}")
    change_at_the_same_time(server, first, ada.email, post)
    with server.app.app_context(), transaction() as session:
        found = [person.user for person in administration.list_people(session)]
    assert [user.email for user in found if user.is_administrator and user.active] == [bea.email]
    for person in (ada, bea):
        person.client.close()


@pytest.fixture
def session(server: RunningServer, alice: TestOrganization) -> Iterator[Session]:
    with server.app.app_context(), transaction() as session:
        yield session


@pytest.fixture
def owners(session: Session) -> list[User]:
    organization = store.find(session, "alice").id
    return [people.add_member(session, organization, f"{name}@example.org", Role.OWNER)[0] for name in "ab"]


@pytest.mark.parametrize("change", [people.remove_member, demote, deactivate])
def test_an_owner_whose_account_is_switched_off_does_not_count(
    session: Session, owners: list[User], change: Change
) -> None:
    organization = store.find(session, "alice").id
    deactivate(session, organization, owners[0])
    with pytest.raises(Conflict, match="only owner"):
        change(session, organization, owners[1])
    people.remove_member(session, organization, owners[0])


def test_the_last_owner_of_an_organization_that_is_switched_off_can_be_switched_off(
    session: Session, owners: list[User]
) -> None:
    organization = store.find(session, "alice")
    deactivate(session, organization.id, owners[0])
    organization.is_active = False
    deactivate(session, organization.id, owners[1])
    assert not owners[1].active


def test_an_owner_cannot_take_over_an_account_that_gets_access_elsewhere_at_the_same_time(
    server: RunningServer, other: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    with server.app.app_context(), transaction() as session:
        bobs_organization = store.find(session, "bob").id
        people.create_person(session, "new@example.org")
    asha = create_user(other, "asha@example.org", Role.OWNER, "alice")

    def add_to_bob(session: Session, _organization: int, user: User) -> None:
        people.add_member(session, bobs_organization, user.email, Role.OWNER)

    invitation = Post(asha, MEMBERS, email="new@example.org", role="viewer")
    change_at_the_same_time(server, add_to_bob, "new@example.org", invitation)
    with server.app.app_context(), transaction() as session:
        new = people.find_person(session, "new@example.org")
        assert [organization.slug for organization, _ in people.list_memberships(session, new)] == ["bob"]
    asha.client.close()
