"""Members: owners invite, change and remove; everybody else reads."""

import time

import pytest
import time_machine

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.console.conftest import Staff
from tests.console.invited import CHOSEN, arrive, choose, known, link_on, opens
from tests.console.people import Person, browser, employ
from tests.support.house import House, Ngo

MEMBERS = "/console/organizations/alice/members"


def member(house: House, email: str, deed: str = "") -> str:
    """The address of a deed on a person."""
    return f"{MEMBERS}/{known(house, email).id}/{deed}"


def invite(by: Person, email: str, role: Role = Role.EDITOR) -> str:
    """The one-time link of a new member."""
    answer = by.post(MEMBERS, {"email": email, "role": role.value})
    assert answer.status_code == 200, answer.text[:2000]
    return link_on(answer)


@pytest.mark.parametrize("role", list(Role))
def test_it_lets_everybody_read_who_belongs_and_owners_alone_change_it(staff: Staff, role: Role) -> None:
    page = staff(role).get(MEMBERS).text
    assert f"{role}@alice.example.org" in page
    assert ("Invite a member" in page) == (role is Role.OWNER)


def test_it_brings_a_person_in_by_a_link_that_works_once(house: House, owner: Person) -> None:
    answer = owner.post(MEMBERS, {"email": " Asha@Example.org ", "role": "viewer"})
    assert "Invited" in answer.text
    link = link_on(answer)
    asha = arrive(house, "asha@example.org", link)
    assert asha.get(MEMBERS).status_code == 200
    assert asha.post(MEMBERS, {"email": "x@example.org", "role": "owner"}).status_code == 403
    assert not opens(house, link)
    assert "Invited" not in owner.get(MEMBERS).text
    asha.client.close()


def test_it_shows_a_link_in_no_later_page_no_address_and_no_cookie(owner: Person) -> None:
    answer = owner.post(MEMBERS, {"email": "asha@example.org", "role": "viewer"})
    secret = link_on(answer).rpartition("/")[2]
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in str(answer.url)
    assert not any(secret in (cookie.value or "") for cookie in owner.client.cookies.jar)
    assert secret not in owner.get(MEMBERS).text


@pytest.mark.parametrize(
    ("email", "role", "complaint"),
    [
        ("not an address", "viewer", "That is not an e-mail address"),
        ("", "viewer", "Give an e-mail address."),
        ("asha@example.org", "king", "Not a valid choice"),
        ("owner@alice.example.org", "viewer", "is a member already"),
    ],
)
def test_it_says_what_is_wrong_with_an_invitation(owner: Person, email: str, role: str, complaint: str) -> None:
    answer = owner.post(MEMBERS, {"email": email, "role": role})
    assert answer.status_code == 422
    assert complaint in answer.text
    assert f'value="{email}"' in answer.text
    assert "one-time-link" not in answer.text


def test_it_changes_a_role_at_once(house: House, owner: Person, viewer: Person) -> None:
    address = member(house, viewer.email, "role")
    assert viewer.post(MEMBERS, {"email": "x@example.org", "role": "viewer"}).status_code == 403
    assert owner.post(address, {"role": "owner"}).headers["Location"] == MEMBERS
    assert viewer.post(MEMBERS, {"email": "x@example.org", "role": "viewer"}).status_code == 200
    assert owner.post(address, {"role": "king"}).status_code == 422


def test_it_removes_a_person_for_whom_the_organization_is_then_not_there(
    house: House, owner: Person, editor: Person
) -> None:
    answer = owner.post(member(house, editor.email, "remove"))
    assert answer.headers["Location"] == MEMBERS
    assert editor.get(MEMBERS).status_code == 404
    assert editor.email not in owner.get(MEMBERS).text


def test_it_keeps_the_last_owner(house: House, owner: Person, administrator: Person) -> None:
    for person in (owner, administrator):
        for deed, data in (("remove", {}), ("role", {"role": "viewer"})):
            assert person.post(member(house, owner.email, deed), data).status_code == 302
            assert "only owner" in person.get(MEMBERS).text
    assert owner.get(MEMBERS).status_code == 200


def test_it_leads_an_owner_who_has_left_to_the_start(house: House, owner: Person) -> None:
    employ(house, "second@example.org", Role.OWNER, "alice").client.close()
    assert owner.post(member(house, owner.email, "remove")).headers["Location"] == "/console/"
    assert owner.get(MEMBERS).status_code == 404


def test_it_gives_a_member_who_forgot_the_password_a_new_link(house: House, owner: Person, editor: Person) -> None:
    link = link_on(owner.post(member(house, editor.email, "link")))
    again = Person(house, editor.email, browser())
    assert choose(again, link).status_code == 302
    assert again.sign_in().status_code == 422
    assert editor.get(MEMBERS).status_code == 302, "whoever was signed in before is so no more"
    again.client.close()


def test_it_lets_no_owner_take_over_who_also_belongs_elsewhere(
    house: House, owner: Person, administrator: Person
) -> None:
    bob = house.ngo("bob")
    employ(house, "two@example.org", Role.VIEWER, bob.slug).client.close()
    invite(administrator, "two@example.org", Role.VIEWER)
    page = owner.get(MEMBERS).text
    assert "Only an administrator can create a one-time link for this person." in page
    refused = owner.post(member(house, "two@example.org", "link"))
    assert refused.status_code == 403
    assert "the account opens more than this organization" in refused.text
    assert opens(house, link_on(administrator.post(member(house, "two@example.org", "link"))))


def test_it_lets_no_owner_take_over_an_administrator(house: House, owner: Person, administrator: Person) -> None:
    added = administrator.post(MEMBERS, {"email": administrator.email, "role": "viewer"})
    assert added.status_code == 302
    administrator.sign_in()
    assert owner.post(member(house, administrator.email, "link")).status_code == 403


def test_it_lets_no_owner_take_in_an_account_that_is_somebody_elses(house: House, owner: Person, bob: Ngo) -> None:
    employ(house, "theirs@example.org", Role.EDITOR, bob.slug).client.close()
    answer = owner.post(MEMBERS, {"email": "theirs@example.org", "role": "viewer"})
    assert answer.status_code == 422
    assert "Ask an administrator to add this person here." in answer.text
    assert "theirs@example.org</td>" not in owner.get(MEMBERS).text


def test_who_chose_a_persons_password_first_does_not_get_what_the_person_gets_later(
    house: House, owner: Person, administrator: Person, bob: Ngo
) -> None:
    attacker = arrive(house, "asha@example.org", invite(owner, "asha@example.org"))
    members_of_bob = f"/console/organizations/{bob.slug}/members"
    assert "chooses a new password with the link" in administrator.get(members_of_bob).text
    answer = administrator.post(members_of_bob, {"email": "asha@example.org", "role": "owner"})
    assert "This person had an account already." in answer.text
    assert attacker.get(members_of_bob).status_code == 302
    assert attacker.sign_in(CHOSEN).status_code == 422
    asha = arrive(house, "asha@example.org", link_on(answer))
    assert [asha.get(path).status_code for path in (MEMBERS, members_of_bob)] == [200, 200]
    asha.client.close()
    attacker.client.close()


def test_it_writes_down_who_asks_for_the_accounts_of_others(house: House, owner: Person, bob: Ngo) -> None:
    employ(house, "theirs@example.org", Role.EDITOR, bob.slug).client.close()
    owner.post(MEMBERS, {"email": "Theirs@example.org", "role": "viewer"})
    page = owner.get("/console/organizations/alice/audit").text
    assert "Tried to invite theirs@example.org, who has an account on this server already" in page


def test_it_lets_owners_invite_so_many_in_an_hour(house: House, alice: Ngo, owner: Person) -> None:
    with house.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug).id
        for number in range(28):
            people.add(session, organization, f"person{number}@example.org", Role.VIEWER)
    invite(owner, "the-30th@example.org")
    answer = owner.post(MEMBERS, {"email": "the-31st@example.org", "role": "viewer"})
    assert answer.status_code == 422
    assert "Many people were invited to this organization within an hour." in answer.text
    with time_machine.travel(time.time() + 3601):
        invite(owner, "the-31st@example.org")


def test_a_link_dies_when_the_account_opens_more(house: House, owner: Person, administrator: Person, bob: Ngo) -> None:
    link = invite(owner, "asha@example.org")
    members_of_bob = f"/console/organizations/{bob.slug}/members"
    new = link_on(administrator.post(members_of_bob, {"email": "asha@example.org", "role": "owner"}))
    assert not opens(house, link)
    assert opens(house, new)


def test_it_invites_again_who_left_before_using_the_link(house: House, owner: Person) -> None:
    first = invite(owner, "asha@example.org")
    owner.post(member(house, "asha@example.org", "remove"))
    second = invite(owner, "asha@example.org")
    assert (opens(house, first), opens(house, second)) == (False, True)


def test_it_makes_no_link_for_an_account_that_is_switched_off(
    house: House, owner: Person, administrator: Person, editor: Person
) -> None:
    editor_id = known(house, editor.email).id
    administrator.post(f"/console/server/people/{editor_id}/deactivate")
    assert "Switched off" in owner.get(MEMBERS).text
    for person in (owner, administrator):
        assert person.post(member(house, editor.email, "link")).status_code == 403


@pytest.mark.parametrize("deed", ["role", "link", "remove"])
def test_it_knows_nobody_who_is_no_member(house: House, owner: Person, bob: Ngo, deed: str) -> None:
    theirs = employ(house, "theirs@example.org", Role.EDITOR, bob.slug)
    foreign = owner.post(member(house, theirs.email, deed), {"role": "owner"})
    missing = owner.post(f"{MEMBERS}/2147483647/{deed}", {"role": "owner"})
    beyond = owner.post(f"{MEMBERS}/99999999999999999999/{deed}", {"role": "owner"})
    assert [answer.status_code for answer in (foreign, missing, beyond)] == [404, 404, 404]
    assert theirs.email not in foreign.text
    theirs.client.close()


def test_it_is_not_there_for_who_belongs_elsewhere(house: House, alice: Ngo, bob: Ngo) -> None:
    theirs = employ(house, "theirs@example.org", Role.OWNER, bob.slug)
    theirs.sign_in()
    assert theirs.get(f"/console/organizations/{alice.slug}/members").status_code == 404
    assert theirs.post(MEMBERS, {"email": "x@example.org", "role": "owner"}).status_code == 404
    theirs.client.close()
