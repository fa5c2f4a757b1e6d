"""Members: owners can invite, change and remove, other roles can read."""

import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote_plus

import pytest
import time_machine

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.console.conftest import Staff
from tests.console.invitations import (
    CHOSEN_PASSWORD,
    accept_invitation,
    find_link,
    find_user,
    link_works,
)
from tests.console.users import ConsoleUser, create_client, create_user
from tests.support.server import RunningServer, TestOrganization

MEMBERS = "/console/organizations/alice/members"


def member(server: RunningServer, email: str, deed: str = "") -> str:
    """Return the address of an action on a member."""
    return f"{MEMBERS}/{find_user(server, email).id}/{deed}"


def invite(by: ConsoleUser, email: str, role: Role = Role.EDITOR) -> str:
    """Invite a member. Return the one-time link."""
    answer = by.post(MEMBERS, {"email": email, "role": role.value})
    assert answer.status_code == 200, answer.text[:2000]
    return find_link(answer)


@pytest.mark.parametrize("role", list(Role))
def test_all_members_can_read_the_list_but_only_owners_can_change_it(staff: Staff, role: Role) -> None:
    page = staff(role).get(MEMBERS).text
    assert f"{role}@alice.example.org" in page
    assert ("Invite a member" in page) == (role is Role.OWNER)


@pytest.mark.both_databases
def test_an_invitation_link_works_once(server: RunningServer, owner: ConsoleUser) -> None:
    answer = owner.post(MEMBERS, {"email": " Asha@Example.org ", "role": "viewer"})
    assert "Invited" in answer.text
    link = find_link(answer)
    asha = accept_invitation(server, "asha@example.org", link)
    assert asha.get(MEMBERS).status_code == 200
    assert asha.post(MEMBERS, {"email": "x@example.org", "role": "owner"}).status_code == 403
    assert not link_works(server, link)
    assert "Invited" not in owner.get(MEMBERS).text
    asha.client.close()


def test_the_link_is_in_no_later_page_address_or_cookie(owner: ConsoleUser) -> None:
    answer = owner.post(MEMBERS, {"email": "asha@example.org", "role": "viewer"})
    secret = find_link(answer).rpartition("/")[2]
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in str(answer.url)
    assert not any(secret in (cookie.value or "") for cookie in owner.client.cookies.jar)
    assert secret not in owner.get(MEMBERS).text


@pytest.mark.parametrize(
    ("email", "role", "complaint"),
    [
        ("not an address", "viewer", "This is not an e-mail address"),
        ("", "viewer", "Enter an e-mail address."),
        ("asha@example.org", "king", "Not a valid choice"),
        ("owner@alice.example.org", "viewer", "is a member already"),
    ],
)
def test_an_invalid_invitation_is_explained(owner: ConsoleUser, email: str, role: str, complaint: str) -> None:
    answer = owner.post(MEMBERS, {"email": email, "role": role})
    assert answer.status_code == 422
    assert complaint in answer.text
    assert f'value="{email}"' in answer.text
    assert "one-time-link" not in answer.text


def test_a_new_role_takes_effect_immediately(server: RunningServer, owner: ConsoleUser, viewer: ConsoleUser) -> None:
    address = member(server, viewer.email, "role")
    assert viewer.post(MEMBERS, {"email": "x@example.org", "role": "viewer"}).status_code == 403
    assert owner.post(address, {"role": "owner"}).headers["Location"] == MEMBERS
    assert viewer.post(MEMBERS, {"email": "x@example.org", "role": "viewer"}).status_code == 200
    assert owner.post(address, {"role": "king"}).status_code == 422


@pytest.mark.both_databases
def test_a_removed_member_cannot_see_the_organization(
    server: RunningServer, owner: ConsoleUser, editor: ConsoleUser
) -> None:
    answer = owner.post(member(server, editor.email, "remove"))
    assert answer.headers["Location"] == MEMBERS
    assert editor.get(MEMBERS).status_code == 404
    assert editor.email not in owner.get(MEMBERS).text


@pytest.mark.both_databases
def test_the_last_owner_cannot_be_removed(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser
) -> None:
    for person in (owner, administrator):
        for deed, data in (("remove", {}), ("role", {"role": "viewer"})):
            assert person.post(member(server, owner.email, deed), data).status_code == 302
            assert "only owner" in person.get(MEMBERS).text
    assert owner.get(MEMBERS).status_code == 200


def test_an_owner_who_leaves_is_sent_to_the_start_page(server: RunningServer, owner: ConsoleUser) -> None:
    create_user(server, "second@example.org", Role.OWNER, "alice").client.close()
    assert owner.post(member(server, owner.email, "remove")).headers["Location"] == "/console/"
    assert owner.get(MEMBERS).status_code == 404


def test_an_owner_can_create_a_new_link_for_a_member(
    server: RunningServer, owner: ConsoleUser, editor: ConsoleUser
) -> None:
    link = find_link(owner.post(member(server, editor.email, "link")))
    accept_invitation(server, editor.email, link).client.close()
    again = ConsoleUser(server, editor.email, create_client())
    assert again.sign_in().status_code == 422
    assert editor.get(MEMBERS).status_code == 302, "whoever was signed in before is so no more"
    again.client.close()


def test_an_owner_cannot_take_over_a_member_of_another_organization(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser
) -> None:
    bob = server.add_organization("bob")
    create_user(server, "two@example.org", Role.VIEWER, bob.slug).client.close()
    invite(administrator, "two@example.org", Role.VIEWER)
    page = owner.get(MEMBERS).text
    assert "Only an administrator can create a one-time link for this person." in page
    refused = owner.post(member(server, "two@example.org", "link"))
    assert refused.status_code == 403
    assert "gives access to more than this organization" in refused.text
    assert link_works(server, find_link(administrator.post(member(server, "two@example.org", "link"))))


def test_an_owner_cannot_take_over_an_administrator(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser
) -> None:
    added = administrator.post(MEMBERS, {"email": administrator.email, "role": "viewer"})
    assert added.status_code == 302
    administrator.sign_in()
    assert owner.post(member(server, administrator.email, "link")).status_code == 403


@pytest.mark.both_databases
def test_an_owner_cannot_invite_an_existing_account(
    server: RunningServer, owner: ConsoleUser, bob: TestOrganization
) -> None:
    create_user(server, "theirs@example.org", Role.EDITOR, bob.slug).client.close()
    answer = owner.post(MEMBERS, {"email": "theirs@example.org", "role": "viewer"})
    assert answer.status_code == 422
    assert "Ask an administrator to add the person to this" in answer.text
    assert "theirs@example.org</td>" not in owner.get(MEMBERS).text


@pytest.mark.both_databases
def test_wider_access_resets_the_credentials_of_an_account(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser, bob: TestOrganization
) -> None:
    attacker = accept_invitation(server, "asha@example.org", invite(owner, "asha@example.org"))
    members_of_bob = f"/console/organizations/{bob.slug}/members"
    assert "choose a new password with the link" in administrator.get(members_of_bob).text
    answer = administrator.post(members_of_bob, {"email": "asha@example.org", "role": "owner"})
    assert "This person already had an account." in answer.text
    assert attacker.get(members_of_bob).status_code == 302
    assert attacker.sign_in(CHOSEN_PASSWORD).status_code == 422
    asha = accept_invitation(server, "asha@example.org", find_link(answer))
    assert [asha.get(path).status_code for path in (MEMBERS, members_of_bob)] == [200, 200]
    asha.client.close()
    attacker.client.close()


def test_refused_invitations_are_recorded(server: RunningServer, owner: ConsoleUser, bob: TestOrganization) -> None:
    create_user(server, "theirs@example.org", Role.EDITOR, bob.slug).client.close()
    owner.post(MEMBERS, {"email": "Theirs@example.org", "role": "viewer"})
    page = owner.get("/console/organizations/alice/audit").text
    assert "Tried to invite theirs@example.org, but the account already exists on this server" in page


@pytest.mark.parametrize(
    "spelling", ["EDITOR@ALICE.example.org", "editor@alice。example．org", "edi\u200btor@alice.example.org."]
)
def test_a_member_cannot_be_invited_again_with_another_spelling(
    owner: ConsoleUser, editor: ConsoleUser, spelling: str
) -> None:
    answer = owner.post(MEMBERS, {"email": spelling, "role": "viewer"})
    assert answer.status_code == 422
    assert "is a member already" in answer.text


@pytest.mark.both_databases
def test_owners_can_invite_a_limited_number_in_an_hour(
    server: RunningServer, alice: TestOrganization, owner: ConsoleUser
) -> None:
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug).id
        for number in range(28):
            people.add_member(session, organization, f"person{number}@example.org", Role.VIEWER)
    invite(owner, "the-30th@example.org")
    answer = owner.post(MEMBERS, {"email": "the-31st@example.org", "role": "viewer"})
    assert answer.status_code == 422
    assert "Too many people were invited to this organization within an hour." in answer.text
    with time_machine.travel(time.time() + 3601):
        invite(owner, "the-31st@example.org")


@pytest.mark.both_databases
@pytest.mark.parametrize("has_account", [True, False])
def test_invitations_at_the_same_moment_keep_to_the_limit(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, owner: ConsoleUser, *, has_account: bool
) -> None:
    """Each one reveals whether an address has an account."""
    addresses = [f"asha{number}@example.org" for number in range(8)]
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, alice.slug).id
        for number in range(27):  # the owner is the first member
            people.add_member(session, organization, f"person{number}@example.org", Role.VIEWER)
        for address in addresses if has_account else ():
            people.add_member(session, store.find(session, bob.slug).id, address, Role.VIEWER)
    url, token = server.url + MEMBERS, owner.token()

    def post(address: str) -> str:
        return owner.client.post(url, data={"csrf_token": token, "email": address, "role": "viewer"}).text

    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(post, addresses))
    assert sum("Too many people were invited to this organization within an hour." in page for page in pages) == 6


@pytest.mark.both_databases
def test_owners_can_create_a_limited_number_of_links_in_an_hour(
    server: RunningServer, owner: ConsoleUser, editor: ConsoleUser, administrator: ConsoleUser
) -> None:
    record_links(server, 29)
    link = member(server, editor.email, "link")
    assert owner.post(link).status_code == 200
    answer = owner.post(link)
    assert answer.status_code == 409
    assert "Too many one-time links were created for this organization within an hour." in answer.text
    assert administrator.post(link).status_code == 200
    with time_machine.travel(time.time() + 3601):
        assert owner.post(link).status_code == 200


@pytest.mark.both_databases
def test_links_that_are_created_at_the_same_moment_keep_to_the_limit(
    server: RunningServer, owner: ConsoleUser, editor: ConsoleUser
) -> None:
    record_links(server, 28)
    link, data = member(server, editor.email, "link"), {"csrf_token": owner.token()}
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: owner.client.post(server.url + link, data=data), range(8))
    assert sorted(answer.status_code for answer in answers) == [200] * 2 + [409] * 6


def record_links(server: RunningServer, count: int) -> None:
    """Record one-time links of an organization, for other people."""
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, "alice").id
        for number in range(count):
            trail.record(session, Action.SIGN_IN_LINK_MADE, organization, email=f"person{number}@example.org")


def test_a_link_stops_working_when_the_account_gets_more_access(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser, bob: TestOrganization
) -> None:
    link = invite(owner, "asha@example.org")
    members_of_bob = f"/console/organizations/{bob.slug}/members"
    new = find_link(administrator.post(members_of_bob, {"email": "asha@example.org", "role": "owner"}))
    assert not link_works(server, link)
    assert link_works(server, new)


def test_a_person_who_left_can_be_invited_again(server: RunningServer, owner: ConsoleUser) -> None:
    first = invite(owner, "asha@example.org")
    owner.post(member(server, "asha@example.org", "remove"))
    second = invite(owner, "asha@example.org")
    assert (link_works(server, first), link_works(server, second)) == (False, True)


def test_no_link_is_created_for_an_account_that_is_switched_off(
    server: RunningServer, owner: ConsoleUser, administrator: ConsoleUser, editor: ConsoleUser
) -> None:
    editor_id = find_user(server, editor.email).id
    administrator.post(f"/console/server/people/{editor_id}/deactivate")
    assert "Switched off" in owner.get(MEMBERS).text
    for person in (owner, administrator):
        assert person.post(member(server, editor.email, "link")).status_code == 403


@pytest.mark.parametrize("deed", ["role", "link", "remove"])
def test_a_user_who_is_not_a_member_is_not_found(
    server: RunningServer, owner: ConsoleUser, bob: TestOrganization, deed: str
) -> None:
    theirs = create_user(server, "theirs@example.org", Role.EDITOR, bob.slug)
    foreign = owner.post(member(server, theirs.email, deed), {"role": "owner"})
    missing = owner.post(f"{MEMBERS}/2147483647/{deed}", {"role": "owner"})
    beyond = owner.post(f"{MEMBERS}/99999999999999999999/{deed}", {"role": "owner"})
    assert [answer.status_code for answer in (foreign, missing, beyond)] == [404, 404, 404]
    assert theirs.email not in foreign.text
    theirs.client.close()


def test_the_page_of_another_organization_is_not_found(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    theirs = create_user(server, "theirs@example.org", Role.OWNER, bob.slug)
    theirs.sign_in()
    assert theirs.get(f"/console/organizations/{alice.slug}/members").status_code == 404
    assert theirs.post(MEMBERS, {"email": "x@example.org", "role": "owner"}).status_code == 404
    theirs.client.close()


def test_the_link_can_be_sent_by_whatsapp(owner: ConsoleUser) -> None:
    page = owner.post(MEMBERS, {"email": "meena@alice.example.org", "role": "editor"})
    found = re.search(r'href="https://wa\.me/\?text=([^"]+)"', page.text)
    assert found
    text = unquote_plus(html.unescape(found[1]))
    assert "works once and expires after three days" in text
    assert find_link(page) in text


def test_the_first_member_is_suggested_to_be_an_owner(
    administrator: ConsoleUser, owner: ConsoleUser, bob: TestOrganization
) -> None:
    chosen = r'<option selected value="(\w+)"'
    first = administrator.get(f"/console/organizations/{bob.slug}/members").text
    assert "Invite the first owner" in first
    assert re.findall(chosen, first.partition("Invite the first owner</h2>")[2]) == ["owner"]
    next_page = owner.get(MEMBERS).text
    assert re.findall(chosen, next_page.partition("Invite a member</h2>")[2]) == ["editor"]
