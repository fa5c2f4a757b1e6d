"""Signing in and out."""

import re

import httpx2
import pytest

from glific_gpt.accounts import administration, people
from glific_gpt.database import transaction
from tests.accounts.conftest import AddPerson
from tests.conftest import StartServer
from tests.console.users import PASSWORD, ConsoleUser
from tests.support.server import TLS

SIGN_IN = "/console/account/sign-in"
ACCOUNT = "/console/account/"


def is_signed_in(person: ConsoleUser) -> bool:
    return person.get(ACCOUNT).status_code == 200


def test_it_lets_a_person_in_and_out_again(asha: ConsoleUser) -> None:
    assert not is_signed_in(asha)
    answer = asha.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/")
    assert is_signed_in(asha)
    out = asha.post("/console/account/sign-out", page=ACCOUNT)
    assert (out.status_code, out.headers["Location"]) == (302, SIGN_IN)
    assert not is_signed_in(asha)


def test_who_signs_out_is_out_everywhere(asha: ConsoleUser) -> None:
    asha.sign_in()
    copied = dict(asha.client.cookies)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    assert "You are signed out on all your devices." in asha.get(SIGN_IN).text
    with httpx2.Client(cookies=copied, verify=TLS) as thief:
        assert thief.get(asha.server.url + ACCOUNT).status_code == 302
    assert asha.sign_in().status_code == 302


@pytest.mark.parametrize("typed", ["Asha@Example.ORG", "  asha@example.org "])
def test_it_does_not_mind_how_the_address_is_written(asha: ConsoleUser, typed: str) -> None:
    asha.email = typed
    assert asha.sign_in().status_code == 302


def test_it_says_the_same_of_a_wrong_password_as_of_an_unknown_address(
    asha: ConsoleUser, add_person: AddPerson
) -> None:
    stranger = add_person("other@example.org")
    stranger.email = "nobody@example.org"
    wrong, unknown = asha.sign_in("not the password"), stranger.sign_in("not the password")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert said(wrong.text, asha.email) == said(unknown.text, stranger.email)
    assert "The e-mail address or the password is wrong." in wrong.text
    assert "not the password" not in wrong.text


def said(page: str, email: str) -> str:
    """A page without what differs by nature."""
    return re.sub(r'name="csrf_token"[^>]*>', "", page).replace(email, "")


def test_it_goes_on_where_somebody_wanted_to_go(asha: ConsoleUser) -> None:
    sent_away = asha.get("/console/organizations/alice/calls")
    assert sent_away.status_code == 302
    answer = asha.post(sent_away.headers["Location"], {"email": asha.email, "password": PASSWORD})
    assert answer.headers["Location"].startswith("/console/organizations/alice/calls")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_leads_to_no_other_host(asha: ConsoleUser, elsewhere: str) -> None:
    answer = asha.post(SIGN_IN, {"email": asha.email, "password": PASSWORD, "next": elsewhere})
    assert answer.status_code in (302, 422)
    assert answer.headers.get("Location", "/console/").startswith(("/console/", "/%5C"))  # which is a path of this host


def test_it_takes_no_form_without_its_token(asha: ConsoleUser) -> None:
    answer = asha.post(SIGN_IN, {"csrf_token": "forged", "email": asha.email, "password": PASSWORD})
    assert answer.status_code in (400, 422)
    assert not is_signed_in(asha)


def test_it_does_not_let_a_link_sign_somebody_out(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert asha.get("/console/account/sign-out").status_code == 405
    assert asha.post("/console/account/sign-out", {"csrf_token": "forged"}).status_code in (200, 400)
    assert is_signed_in(asha)


def test_it_takes_what_pages_send_and_nothing_else(asha: ConsoleUser) -> None:
    answer = asha.client.post(asha.server.url + SIGN_IN, json={"email": asha.email, "password": PASSWORD})
    assert answer.status_code == 415


def test_it_gives_a_cookie_that_scripts_and_other_sites_cannot_use(asha: ConsoleUser) -> None:
    known, session = sorted(asha.sign_in().headers.get_list("Set-Cookie"))
    assert session.startswith("glific_gpt_session=")
    assert known.startswith("glific_gpt_known=")
    assert asha.email not in known
    assert {"HttpOnly", "SameSite=Lax", "Path=/console"} <= set(session.split("; "))
    assert {"HttpOnly", "SameSite=Lax", "Path=/console/account"} <= set(known.split("; "))
    assert "Secure" not in session + known


def test_it_gives_a_cookie_to_encrypted_connections_alone_where_the_server_has_them(start_server: StartServer) -> None:
    server = start_server(public_url="https://gpt.example.org")
    answer = httpx2.get(server.url + SIGN_IN, verify=TLS)
    (cookie,) = answer.headers.get_list("Set-Cookie")
    assert "Secure" in cookie.split("; ")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_it_asks_for_encrypted_connections_nowhere_else(asha: ConsoleUser) -> None:
    assert "Strict-Transport-Security" not in asha.get(SIGN_IN).headers


def test_it_lets_nobody_in_who_was_switched_off(asha: ConsoleUser) -> None:
    asha.sign_in()
    with asha.server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, asha.email), None, is_active=False)
    assert not is_signed_in(asha)
    assert asha.sign_in().status_code == 422
