"""Deletion of people: no row, session, e-mail or audit entry leads to them any more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import g
from sqlalchemy import select

from glific_gpt.accounts import passwords, people, removal
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.emails.smtp import Email
from glific_gpt.emails.tables import OutgoingEmail
from glific_gpt.errors import Conflict
from glific_gpt.organizations import store, tokens
from tests.audit.reading import entries, lines
from tests.conftest import StartServer
from tests.console.users import ConsoleUser, create_user
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

ASHA = "asha@example.org"
OTHER = "other@example.org"


def delete(server: RunningServer, email: str = ASHA) -> None:
    with server.app.app_context(), transaction() as session:
        removal.delete_person(session, people.find_person(session, email), None)


def rows_about(server: RunningServer, table: type[Any]) -> int:
    with server.app.app_context(), transaction() as session:
        return len(session.scalars(select(table)).all())


@pytest.fixture
def asha(server: RunningServer, alice: TestOrganization) -> Iterator[ConsoleUser]:
    """An owner, beside another one, who has signed in and changed something."""
    create_user(server, OTHER, Role.OWNER, alice.slug)
    person = create_user(server, ASHA, Role.OWNER, alice.slug)
    assert person.sign_in().status_code == 302
    with server.app.app_context(), transaction() as session:
        g.actor = ASHA
        tokens.create_webhook_token(session, store.find(session, alice.slug), "menu")
    yield person
    person.client.close()


def test_the_account_its_roles_and_its_session_end(server: RunningServer, asha: ConsoleUser) -> None:
    assert asha.get("/console/account/").status_code == 200
    delete(server)
    assert asha.get("/console/account/").status_code == 302
    assert rows_about(server, Membership) == 1
    assert asha.sign_in().status_code == 422


def test_audit_entries_stay_without_the_address(server: RunningServer, asha: ConsoleUser) -> None:
    before = lines(server)
    delete(server)
    *after, deleted = lines(server)
    assert (deleted.action, [line.action for line in after]) == ("person_deleted", [line.action for line in before])
    assert ASHA not in str([*after, deleted])
    name = deleted.detail["email"]
    assert name.startswith("deleted person ")
    (signed_in,) = [line for line in after if line.action == "signed_in"]
    assert (signed_in.actor, signed_in.detail) == (name, {"email": name})
    # Entries of other people are unchanged.
    assert [line for line in before if ASHA not in str(line)] == [line for line in after if name not in str(line)]


def test_the_same_address_can_be_invited_again_as_a_new_person(server: RunningServer, asha: ConsoleUser) -> None:
    delete(server)
    with server.app.app_context(), transaction() as session:
        user, is_new = people.add_member(session, store.find(session, "alice").id, ASHA, Role.VIEWER)
    assert (is_new, user.password) == (True, None)


@pytest.mark.parametrize("is_active", [True, False])
def test_the_only_owner_of_an_organization_stays(
    server: RunningServer, alice: TestOrganization, is_active: bool
) -> None:
    create_user(server, ASHA, Role.OWNER, alice.slug)
    create_user(server, OTHER, Role.EDITOR, alice.slug)
    alice.change(is_active=is_active)
    with pytest.raises(Conflict, match="Make another member an owner there first, or delete the organization"):
        delete(server)
    delete(server, OTHER)
    assert rows_about(server, User) == 1


def test_the_last_administrator_stays(server: RunningServer) -> None:
    create_user(server, ASHA)
    with pytest.raises(Conflict, match="the only administrator who can sign in"):
        delete(server)
    create_user(server, OTHER)
    delete(server)
    assert "asha" not in str([(entry.actor, entry.detail) for entry in entries(server)])


def test_e_mails_that_wait_for_the_person_are_deleted(start_server: StartServer) -> None:
    server = start_server(mail_url="smtp://127.0.0.1:9", mail_from="gpt@example.org")
    for email in (ASHA, OTHER):
        create_user(server, email)
        with server.app.app_context():
            passwords.request_reset_email(email, "192.0.2.1")
            with transaction() as session:
                ready = Email(email, "Your link", "https://example.org")
                server.services.outbox.send(session, ready, now() + timedelta(days=1))
    assert rows_about(server, OutgoingEmail) == 4
    delete(server)
    assert rows_about(server, OutgoingEmail) == 2
