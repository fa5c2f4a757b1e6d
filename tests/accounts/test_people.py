"""Users and their roles in organizations."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue, NotFound
from glific_gpt.organizations import store
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases


@pytest.fixture
def session(server: RunningServer, alice: TestOrganization, bob: TestOrganization) -> Iterator[Session]:
    with server.app.app_context(), transaction() as session:
        yield session


def id_of(session: Session, slug: str) -> int:
    return store.find(session, slug).id


def test_a_role_includes_those_below_it() -> None:
    assert [role for role in Role if Role.EDITOR.includes(role)] == [Role.VIEWER, Role.EDITOR]
    assert all(Role.OWNER.includes(role) for role in Role)
    assert not Role.VIEWER.includes(Role.EDITOR)


def test_a_person_is_found_by_any_spelling_of_the_address(session: Session) -> None:
    created = people.create_person(session, " Asha@Example.org ")
    assert created.email == "asha@example.org"
    for spelling in ("ASHA@example.org", "asha@example。org", "\ufeffasha@example.org."):
        assert people.find_person(session, spelling) is created
    with pytest.raises(NotFound):
        people.find_person(session, "bea@example.org")


@pytest.mark.parametrize("email", ["", "asha", "a b@example.org", "asha@localhost", "a" * 300 + "@example.org"])
def test_an_invalid_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(InvalidValue):
        people.create_person(session, email)


def test_an_address_belongs_to_one_person(session: Session) -> None:
    people.create_person(session, "asha@example.org")
    with pytest.raises(Conflict), session.begin_nested():
        people.create_person(session, "Asha@example.org")


def test_memberships_are_those_of_the_person(session: Session) -> None:
    asha, new = people.add_member(session, id_of(session, "bob"), "asha@example.org", Role.VIEWER)
    assert new
    assert [(organization.slug, role) for organization, role in people.list_memberships(session, asha)] == [
        ("bob", Role.VIEWER)
    ]
    assert people.find_role(session, asha, id_of(session, "bob")) is Role.VIEWER
    assert people.find_role(session, asha, id_of(session, "alice")) is None
    _, new = people.add_member(session, id_of(session, "alice"), "asha@example.org", Role.OWNER)
    assert not new
    assert [organization.slug for organization, _ in people.list_memberships(session, asha)] == ["alice", "bob"]


def test_a_member_who_joins_another_organization_loses_old_credentials(session: Session) -> None:
    asha, _ = people.add_member(session, id_of(session, "bob"), "asha@example.org", Role.OWNER)
    asha.password, asha.tf_primary_method, before = "a hash", "authenticator", asha.fs_uniquifier
    again, _ = people.add_member(session, id_of(session, "alice"), "asha@example.org", Role.OWNER)
    assert (again.password, again.has_two_factor) == (None, False)
    assert asha.fs_uniquifier != before


def test_an_administrator_who_joins_an_organization_keeps_the_password(session: Session) -> None:
    boss = people.create_person(session, "boss@example.org", administrator=True)
    boss.password = "a hash"
    people.add_member(session, id_of(session, "alice"), "boss@example.org", Role.OWNER)
    assert boss.password == "a hash"


def test_a_disabled_user_cannot_join_an_organization(session: Session) -> None:
    asha, _ = people.add_member(session, id_of(session, "bob"), "asha@example.org", Role.VIEWER)
    asha.active = False
    with pytest.raises(Conflict, match="switched off"):
        people.add_member(session, id_of(session, "alice"), "asha@example.org", Role.VIEWER)


def test_an_administrator_is_an_owner_everywhere(session: Session) -> None:
    boss = people.create_person(session, "boss@example.org", administrator=True)
    assert [(found.slug, role) for found, role in people.list_memberships(session, boss)] == [
        ("alice", Role.OWNER),
        ("bob", Role.OWNER),
    ]
    assert people.find_role(session, boss, id_of(session, "alice")) is Role.OWNER
    assert people.list_members(session, id_of(session, "alice")) == []


def test_members_are_those_of_the_organization(session: Session) -> None:
    people.add_member(session, id_of(session, "alice"), "b@example.org", Role.EDITOR)
    people.add_member(session, id_of(session, "alice"), "a@example.org", Role.OWNER)
    people.add_member(session, id_of(session, "bob"), "c@example.org", Role.OWNER)
    found = people.list_members(session, id_of(session, "alice"))
    assert [(member.user.email, member.role) for member in found] == [
        ("a@example.org", Role.OWNER),
        ("b@example.org", Role.EDITOR),
    ]
    assert not found[0].has_password
    assert not found[0].has_two_factor


def test_a_member_cannot_join_twice(session: Session) -> None:
    people.add_member(session, id_of(session, "alice"), "a@example.org", Role.OWNER)
    with pytest.raises(Conflict, match=r"^This person is a member already\.$"):
        people.add_member(session, id_of(session, "alice"), "A@example.org", Role.VIEWER)


def test_the_last_owner_cannot_leave_or_lose_the_role(session: Session) -> None:
    alice = id_of(session, "alice")
    first, _ = people.add_member(session, alice, "a@example.org", Role.OWNER)
    second, _ = people.add_member(session, alice, "b@example.org", Role.EDITOR)
    with pytest.raises(Conflict, match="only owner"):
        people.remove_member(session, alice, first)
    with pytest.raises(Conflict, match="only owner"):
        people.set_role(session, alice, first, Role.VIEWER)
    people.set_role(session, alice, first, Role.OWNER)
    people.set_role(session, alice, second, Role.OWNER)
    people.remove_member(session, alice, first)
    assert [member.user.email for member in people.list_members(session, alice)] == ["b@example.org"]


def test_a_user_who_is_not_a_member_cannot_be_changed(session: Session) -> None:
    stranger, _ = people.add_member(session, id_of(session, "bob"), "c@example.org", Role.OWNER)
    with pytest.raises(NotFound):
        people.remove_member(session, id_of(session, "alice"), stranger)
    with pytest.raises(NotFound):
        people.set_role(session, id_of(session, "alice"), stranger, Role.OWNER)


def test_one_of_two_owners_who_leave_at_the_same_time_remains(server: RunningServer, alice: TestOrganization) -> None:
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug).id
        users = [people.add_member(session, organization, f"{name}@example.org", Role.OWNER)[0] for name in "ab"]

    def leave(email: str) -> bool:
        try:
            with server.app.app_context(), transaction() as session:
                people.remove_member(session, organization, people.find_person(session, email))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(leave, [user.email for user in users]))
    assert sorted(left) == [False, True]
