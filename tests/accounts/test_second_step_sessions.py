"""A set-up of two-step sign-in belongs to one person and one session, also in a session that several people use."""

import re
import time
from collections.abc import Callable

import pytest
import time_machine

from tests.accounts.authenticator import CODE, DONE, SETUP, Authenticator, read_key
from tests.accounts.conftest import AddPerson
from tests.accounts.test_passwords import NEW, link_for
from tests.accounts.test_sign_in import ACCOUNT, is_signed_in
from tests.console.users import CSRF_TOKEN_PATTERN, PASSWORD, ConsoleUser, create_client

SIGN_IN = "/console/account/sign-in"
EVERYWHERE = "/console/account/sign-out-everywhere"


def begin_set_up(person: ConsoleUser) -> tuple[Authenticator, str]:
    """Return the authenticator with the new secret, and the path of the form for its code."""
    page = person.post(SETUP, {"setup": "authenticator"}, page=SETUP).text
    action = re.search(r'action="([^"]+/set-up/[^"]+)"', page)
    assert action
    return Authenticator(read_key(page)), action[1]


def sign_out_in_this_browser(person: ConsoleUser) -> None:
    assert person.post(EVERYWHERE, page=ACCOUNT).status_code == 302


def sign_out_in_another_browser(person: ConsoleUser) -> None:
    other = ConsoleUser(person.server, person.email, create_client())
    other.sign_in(NEW)
    other.post(EVERYWHERE, page=ACCOUNT)
    assert person.get(ACCOUNT).status_code == 302


@pytest.mark.parametrize("sign_out", [sign_out_in_this_browser, sign_out_in_another_browser])
def test_a_secret_of_another_person_does_not_replace_the_second_factor(
    asha: ConsoleUser, authenticator: Authenticator, add_person: AddPerson, sign_out: Callable[[ConsoleUser], None]
) -> None:
    asha.sign_in()
    authenticator.set_up(asha)
    mallory = add_person("mallory@example.org")
    # Mallory knows the password of asha, and signs in as himself with a one-time link in the same session.
    mallory.post(SIGN_IN, {"email": asha.email, "password": PASSWORD})
    path = link_for(mallory)
    assert mallory.post(path, {"password": NEW, "password_confirm": NEW}, page=path).status_code == 302
    own, _action = begin_set_up(mallory)
    sign_out(mallory)
    page = mallory.get(CODE)
    token = CSRF_TOKEN_PATTERN.search(page.text)
    fields = {"csrf_token": token[1] if token else "", "code": own.code()}
    assert mallory.client.post(mallory.server.url + CODE, data=fields).headers.get("Location") != "/console/"
    assert not is_signed_in(mallory)


def test_a_set_up_that_another_session_has_begun_is_refused(asha: ConsoleUser, add_person: AddPerson) -> None:
    mallory = add_person("mallory@example.org")
    asha.sign_in()
    mallory.sign_in()
    own, action = begin_set_up(mallory)
    assert asha.post(action, {"code": own.code()}, page=ACCOUNT).headers["Location"] == SETUP
    asha.post("/console/account/sign-out", page=ACCOUNT)
    assert asha.sign_in().headers["Location"] == "/console/"
    assert mallory.post(action, {"code": own.code()}, page=ACCOUNT).headers["Location"] == DONE


def test_the_code_has_to_follow_the_password_within_minutes(asha: ConsoleUser, authenticator: Authenticator) -> None:
    """The cookie between the two steps is valid for days."""
    asha.sign_in()
    authenticator.set_up(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    with time_machine.travel(time.time() + 14 * 60):
        token = asha.token(CODE)
    with time_machine.travel(time.time() + 16 * 60):
        fields = {"csrf_token": token, "code": authenticator.code()}
        answer = asha.client.post(asha.server.url + CODE, data=fields)
        assert answer.headers["Location"] == SIGN_IN
        assert not is_signed_in(asha)
