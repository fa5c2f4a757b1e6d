"""People of the server: administrators manage accounts and other administrators."""

import pytest

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from tests.console.conftest import Staff
from tests.console.invitations import accept_invitation, find_link, find_user, link_works
from tests.console.users import ConsoleUser, create_user
from tests.support.server import RunningServer, TestOrganization

PEOPLE = "/console/server/people"
DEEDS = ("link", "deactivate", "activate", "dismiss", "two-factor")


def deed(server: RunningServer, email: str, name: str) -> str:
    return f"{PEOPLE}/{find_user(server, email).id}/{name}"


def line(page: str, email: str) -> str:
    """Return the row of a person."""
    return next(part for part in page.split("<tr ") if f">{email}</a>" in part)


def test_it_shows_all_people_with_their_organizations(
    server: RunningServer, administrator: ConsoleUser, editor: ConsoleUser
) -> None:
    server.add_organization("bob")
    administrator.post("/console/organizations/bob/members", {"email": editor.email, "role": "viewer"})
    page = administrator.get(PEOPLE).text
    theirs, mine = line(page, editor.email), line(page, administrator.email)
    assert "Alice · " in theirs
    assert "Editor" in theirs
    assert "Bob · " in theirs
    assert "Viewer" in theirs
    assert "UTC</time>" in theirs
    assert "All (administrator)" in mine
    assert "All (administrator)" not in theirs


def test_a_new_administrator_gets_a_link(server: RunningServer, administrator: ConsoleUser) -> None:
    answer = administrator.post(PEOPLE, {"email": "Second@Example.org"})
    second = accept_invitation(server, "second@example.org", find_link(answer))
    assert second.get(PEOPLE).status_code == 200
    second.client.close()


def test_a_new_administrator_chooses_a_new_password(
    server: RunningServer, administrator: ConsoleUser, editor: ConsoleUser
) -> None:
    link = find_link(administrator.post(PEOPLE, {"email": editor.email}))
    assert editor.get(PEOPLE).status_code == 302, "the session of before has ended"
    assert editor.sign_in().status_code == 422, "somebody else may have known the password of before"
    again = accept_invitation(server, editor.email, link)
    assert again.get(PEOPLE).status_code == 200
    again.client.close()


@pytest.mark.parametrize(
    ("email", "complaint"),
    [("", "Enter an e-mail address."), ("nobody", "not an e-mail address"), ("admin@alice.example.org", "already")],
)
def test_an_invalid_new_administrator_is_explained(administrator: ConsoleUser, email: str, complaint: str) -> None:
    answer = administrator.post(PEOPLE, {"email": email})
    assert answer.status_code == 422
    assert complaint in answer.text


def test_an_account_can_be_switched_off_and_on(
    server: RunningServer, administrator: ConsoleUser, editor: ConsoleUser
) -> None:
    link = find_link(administrator.post(deed(server, editor.email, "link")))
    assert administrator.post(deed(server, editor.email, "deactivate")).status_code == 302
    assert editor.get("/console/organizations/alice/members").status_code == 302
    assert editor.sign_in().status_code == 422
    assert not link_works(server, link)
    assert administrator.post(deed(server, editor.email, "link")).status_code == 409
    assert administrator.post(PEOPLE, {"email": editor.email}).status_code == 422
    administrator.post(deed(server, editor.email, "activate"))
    assert editor.sign_in().status_code == 302


def test_administrator_rights_can_be_removed(server: RunningServer, administrator: ConsoleUser) -> None:
    second = create_user(server, "second@example.org")
    second.sign_in()
    assert second.get(PEOPLE).status_code == 200
    administrator.post(deed(server, second.email, "dismiss"))
    assert second.get(PEOPLE).status_code == 404
    second.client.close()


@pytest.mark.parametrize("name", ["deactivate", "dismiss"])
def test_administrators_cannot_remove_their_own_access(
    server: RunningServer, administrator: ConsoleUser, name: str
) -> None:
    create_user(server, "second@example.org").client.close()
    administrator.post(deed(server, administrator.email, name))
    assert "Ask another administrator" in administrator.get(PEOPLE).text
    assert administrator.get(PEOPLE).status_code == 200


def test_two_step_sign_in_can_be_switched_off_for_another_person(
    server: RunningServer, administrator: ConsoleUser, editor: ConsoleUser
) -> None:
    with server.app.app_context(), transaction() as session:
        people.find_person(session, editor.email).tf_primary_method = "authenticator"
    assert "Switch off two-step sign-in" in administrator.get(deed(server, editor.email, "")[:-1]).text
    administrator.post(deed(server, editor.email, "two-factor"))
    assert not find_user(server, editor.email).has_two_factor


@pytest.mark.parametrize("role", list(Role))
def test_only_administrators_can_open_it(server: RunningServer, staff: Staff, role: Role) -> None:
    person = staff(role)
    assert person.get(PEOPLE).status_code == 404
    assert person.post(PEOPLE, {"email": person.email}).status_code == 404
    assert person.get(deed(server, person.email, "")[:-1]).status_code == 404
    for name in DEEDS:
        assert person.post(deed(server, person.email, name)).status_code == 404


def test_an_unknown_person_is_not_found(administrator: ConsoleUser, alice: TestOrganization) -> None:
    for address in (f"{PEOPLE}/2147483647", f"{PEOPLE}/99999999999999999999"):
        assert administrator.get(address).status_code == 404
        assert [administrator.post(f"{address}/{name}").status_code for name in DEEDS] == [404] * len(DEEDS)


def test_it_counts_the_people_who_sign_in_with_the_password_only(
    server: RunningServer, administrator: ConsoleUser, alice: TestOrganization
) -> None:
    changes = (("active", True), ("password", None), ("active", False), ("tf_primary_method", "authenticator"))
    for number, (column, value) in enumerate(changes):
        person = create_user(server, f"person{number}@example.org", Role.VIEWER, "alice")
        person.client.close()
        with server.app.app_context(), transaction() as session:
            setattr(people.find_person(session, person.email), column, value)
    assert "2 people can sign in with the password only." in administrator.get("/console/server/people").text
