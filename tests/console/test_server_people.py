"""People of the server: administrators see everybody, and decide who may sign in and who is one of them."""

import pytest

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from tests.console.conftest import Staff
from tests.console.invited import arrive, known, link_on, opens
from tests.console.people import Person, employ
from tests.support.house import House, Ngo

PEOPLE = "/console/server/people"
DEEDS = ("link", "deactivate", "activate", "dismiss", "two-factor")


def deed(house: House, email: str, name: str) -> str:
    return f"{PEOPLE}/{known(house, email).id}/{name}"


def line(page: str, email: str) -> str:
    """A person's line of the list."""
    return next(part for part in page.split("<tr ") if f">{email}</a>" in part)


def test_it_shows_everybody_with_where_they_belong(house: House, administrator: Person, editor: Person) -> None:
    house.ngo("bob")
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


def test_it_makes_an_administrator_who_comes_by_a_link(house: House, administrator: Person) -> None:
    answer = administrator.post(PEOPLE, {"email": "Second@Example.org"})
    second = arrive(house, "second@example.org", link_on(answer))
    assert second.get(PEOPLE).status_code == 200
    second.client.close()


def test_who_becomes_one_starts_with_a_new_password(house: House, administrator: Person, editor: Person) -> None:
    link = link_on(administrator.post(PEOPLE, {"email": editor.email}))
    assert editor.get(PEOPLE).status_code == 302, "the session of before has ended"
    assert editor.sign_in().status_code == 422, "somebody else may have known the password of before"
    again = arrive(house, editor.email, link)
    assert again.get(PEOPLE).status_code == 200
    again.client.close()


@pytest.mark.parametrize(
    ("email", "complaint"),
    [("", "Give an e-mail address."), ("nobody", "not an e-mail address"), ("admin@alice.example.org", "already")],
)
def test_it_says_whom_it_cannot_make_one(administrator: Person, email: str, complaint: str) -> None:
    answer = administrator.post(PEOPLE, {"email": email})
    assert answer.status_code == 422
    assert complaint in answer.text


def test_it_switches_an_account_off_and_on(house: House, administrator: Person, editor: Person) -> None:
    link = link_on(administrator.post(deed(house, editor.email, "link")))
    assert administrator.post(deed(house, editor.email, "deactivate")).status_code == 302
    assert editor.get("/console/organizations/alice/members").status_code == 302
    assert editor.sign_in().status_code == 422
    assert not opens(house, link)
    assert administrator.post(deed(house, editor.email, "link")).status_code == 409
    assert administrator.post(PEOPLE, {"email": editor.email}).status_code == 422
    administrator.post(deed(house, editor.email, "activate"))
    assert editor.sign_in().status_code == 302


def test_it_takes_the_rights_of_an_administrator(house: House, administrator: Person) -> None:
    second = employ(house, "second@example.org")
    second.sign_in()
    assert second.get(PEOPLE).status_code == 200
    administrator.post(deed(house, second.email, "dismiss"))
    assert second.get(PEOPLE).status_code == 404
    second.client.close()


@pytest.mark.parametrize("name", ["deactivate", "dismiss"])
def test_nobody_ends_themselves(house: House, administrator: Person, name: str) -> None:
    employ(house, "second@example.org").client.close()
    administrator.post(deed(house, administrator.email, name))
    assert "ask another administrator" in administrator.get(PEOPLE).text
    assert administrator.get(PEOPLE).status_code == 200


def test_it_switches_off_the_two_factor_sign_in_of_who_has_lost_the_phone(
    house: House, administrator: Person, editor: Person
) -> None:
    with house.app.app_context(), transaction() as session:
        people.find(session, editor.email).tf_primary_method = "authenticator"
    assert "Switch off two-step sign-in" in administrator.get(deed(house, editor.email, "")[:-1]).text
    administrator.post(deed(house, editor.email, "two-factor"))
    assert not known(house, editor.email).has_two_factor


@pytest.mark.parametrize("role", list(Role))
def test_it_is_there_for_administrators_alone(house: House, staff: Staff, role: Role) -> None:
    person = staff(role)
    assert person.get(PEOPLE).status_code == 404
    assert person.post(PEOPLE, {"email": person.email}).status_code == 404
    assert person.get(deed(house, person.email, "")[:-1]).status_code == 404
    for name in DEEDS:
        assert person.post(deed(house, person.email, name)).status_code == 404


def test_it_knows_nobody_who_is_not_there(administrator: Person, alice: Ngo) -> None:
    for address in (f"{PEOPLE}/2147483647", f"{PEOPLE}/99999999999999999999"):
        assert administrator.get(address).status_code == 404
        assert [administrator.post(f"{address}/{name}").status_code for name in DEEDS] == [404] * len(DEEDS)
