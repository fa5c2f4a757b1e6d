"""Administrators can require two-step sign-in of everyone: without it, only the page to set it up opens."""

import pytest

from glific_gpt.accounts import people
from glific_gpt.accounts.sign_in import two_factor_requirement
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from tests.accounts.authenticator import CODE, SETUP, Authenticator
from tests.accounts.conftest import AddPerson
from tests.accounts.test_passwords import CHANGE, actions, change
from tests.accounts.test_sign_in import ACCOUNT, SIGN_IN, is_signed_in
from tests.console.users import ConsoleUser
from tests.support.server import RunningServer, TestOrganization

PEOPLE = "/console/server/people"
SWITCH = f"{PEOPLE}/two-factor"
SIGN_OUT = "/console/account/sign-out"
NOTE = "An administrator of this server requires two-step sign-in. Set it up to continue."


@pytest.fixture
def boss(add_person: AddPerson) -> ConsoleUser:
    """An administrator without two-step sign-in, who is signed in."""
    person = add_person("boss@example.org", None)
    person.sign_in()
    return person


def require(boss: ConsoleUser, answer: str = "yes") -> None:
    assert boss.post(SWITCH, {"required": answer}, page=PEOPLE).status_code == 302


def leads_to_setup(person: ConsoleUser, path: str) -> bool:
    answer = person.get(path)
    return (answer.status_code, answer.headers.get("Location")) == (303, SETUP)


def test_a_person_without_it_is_led_to_set_it_up(
    boss: ConsoleUser, asha: ConsoleUser, authenticator: Authenticator
) -> None:
    require(boss)
    assert asha.sign_in().status_code == 302
    for path in ("/console/", ACCOUNT, "/console/organizations/alice/", CHANGE, SIGN_IN):
        assert leads_to_setup(asha, path), path
    assert NOTE in asha.get(SETUP).text
    authenticator.set_up(asha)
    assert is_signed_in(asha)
    assert NOTE not in asha.get(SETUP).text


def test_no_page_and_no_form_is_reached_before(boss: ConsoleUser, asha: ConsoleUser) -> None:
    require(boss)
    asha.sign_in()
    app, url, token = asha.server.app, asha.server.url, asha.token(SETUP)
    reached = set()
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(("console.", "security.")):
            continue
        path = str(rule).replace("<slug>", "alice").replace("<int(max=2147483647):user_id>", "1")
        for method in (rule.methods or set()) & {"GET", "POST"}:
            if "<" not in path and rule.endpoint not in two_factor_requirement.ALLOWED_BEFORE_SETUP:
                fields = {"csrf_token": token} if method == "POST" else None
                answer = asha.client.request(method, url + path, data=fields)
                if (answer.status_code, answer.headers.get("Location")) != (303, SETUP):
                    reached.add((method, path, answer.status_code))
    assert reached == set()
    assert asha.get("/console/organizations/alice/", headers={"HX-Request": "1"}).headers["HX-Redirect"] == SETUP


def test_people_who_are_signed_in_and_the_administrator_are_led_there_too(
    boss: ConsoleUser, asha: ConsoleUser, authenticator: Authenticator
) -> None:
    asha.sign_in()
    assert is_signed_in(asha)
    require(boss)
    assert leads_to_setup(asha, ACCOUNT)
    assert leads_to_setup(boss, PEOPLE)
    authenticator.set_up(boss)
    assert boss.get(PEOPLE).status_code == 200
    require(boss, "no")
    assert is_signed_in(asha)
    assert actions(boss)[0] == ("two_factor_optional", boss.email)
    assert ("two_factor_required", boss.email) in actions(boss)


def test_it_cannot_be_switched_off_while_it_is_required(boss: ConsoleUser, authenticator: Authenticator) -> None:
    authenticator.set_up(boss)
    require(boss)
    page = boss.get(SETUP).text
    assert 'value="disable"' not in page
    refused = boss.post(SETUP, {"setup": "disable"}, page=SETUP).text
    assert "requires two-step sign-in, so you cannot switch it off" in refused
    with boss.server.app.app_context(), transaction() as session:
        assert people.find_person(session, boss.email).has_two_factor
    require(boss, "no")
    assert boss.post(SETUP, {"setup": "disable"}, page=SETUP).status_code == 302


def test_the_first_password_is_replaced_before(boss: ConsoleUser, asha: ConsoleUser) -> None:
    require(boss)
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).must_change_password = True
    asha.sign_in()
    assert asha.get(ACCOUNT).headers["Location"] == CHANGE
    assert change(asha) == 302
    assert leads_to_setup(asha, ACCOUNT)


def test_a_person_can_sign_out_instead(boss: ConsoleUser, asha: ConsoleUser) -> None:
    require(boss)
    asha.sign_in()
    assert asha.post(SIGN_OUT, page=SETUP).headers["Location"] == SIGN_IN


def test_signing_in_again_asks_for_the_code(boss: ConsoleUser, asha: ConsoleUser, authenticator: Authenticator) -> None:
    require(boss)
    asha.sign_in()
    authenticator.set_up(asha)
    asha.post(SIGN_OUT, page=ACCOUNT)
    assert asha.sign_in().headers["Location"].startswith(CODE)
    assert asha.post(CODE, {"code": authenticator.code()}, page=CODE).headers["Location"] == "/console/"
    assert is_signed_in(asha)


def test_only_administrators_can_require_it(add_person: AddPerson, server: RunningServer) -> None:
    owner = add_person("owner@example.org", Role.OWNER)
    owner.sign_in()
    assert owner.post(SWITCH, {"required": "yes"}).status_code == 404
    with server.app.app_context():
        assert not two_factor_requirement.is_required()


def test_webhooks_are_not_affected(boss: ConsoleUser, alice: TestOrganization) -> None:
    require(boss)
    assert alice.ask().status_code == 200


def test_the_models_of_the_server_are_kept(boss: ConsoleUser) -> None:
    boss.server.allow_models(["gpt-4o*"])
    require(boss)
    boss.server.allow_models(["gpt-4o*", "gpt-5"])
    assert leads_to_setup(boss, PEOPLE)
