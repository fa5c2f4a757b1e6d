"""Sign-in and sign-out."""

import time

import pytest
import sqlalchemy as sa
import time_machine
from itsdangerous import URLSafeTimedSerializer

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.sign_in import sessions
from glific_gpt.accounts.tables import EndedSession
from glific_gpt.database import transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from tests.accounts.conftest import AddPerson
from tests.conftest import StartServer
from tests.console.users import PASSWORD, ConsoleUser, create_client, create_user, remove_csrf_tokens
from tests.support import http

SIGN_IN = "/console/account/sign-in"
ACCOUNT = "/console/account/"


def is_signed_in(person: ConsoleUser) -> bool:
    return person.get(ACCOUNT).status_code == 200


def test_a_user_can_sign_in_and_out(asha: ConsoleUser) -> None:
    assert not is_signed_in(asha)
    answer = asha.sign_in()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/")
    assert is_signed_in(asha)
    out = asha.post("/console/account/sign-out", page=ACCOUNT)
    assert (out.status_code, out.headers["Location"]) == (302, SIGN_IN)
    assert not is_signed_in(asha)


def test_signing_out_ends_the_session_of_this_browser_only(asha: ConsoleUser) -> None:
    asha.sign_in()
    with create_client() as client:
        phone = ConsoleUser(asha.server, asha.email, client)
        phone.sign_in()
        phone.post("/console/account/sign-out", page=ACCOUNT)
        assert "You are signed out." in phone.get(SIGN_IN).text
        assert not is_signed_in(phone)
    assert is_signed_in(asha)


@pytest.mark.both_databases
def test_signing_out_ends_copies_of_the_cookie_in_every_process(asha: ConsoleUser, start_server: StartServer) -> None:
    other_process = start_server()
    asha.sign_in()
    with http.Client(cookies=dict(asha.client.cookies)) as copy:
        assert [copy.get(each.url + ACCOUNT).status_code for each in (asha.server, other_process)] == [200, 200]
        asha.post("/console/account/sign-out", page=ACCOUNT)
        for each in (asha.server, other_process):
            answer = copy.get(each.url + ACCOUNT)
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, SIGN_IN)
    assert asha.sign_in().status_code == 302
    assert is_signed_in(asha)


def test_the_server_tells_people_from_strangers_by_their_cookie_alone(asha: ConsoleUser) -> None:
    cookies = sessions.PersonCookies(asha.server.app)

    def has_person() -> bool:
        text = "; ".join(f"{name}={value}" for name, value in asha.client.cookies.items())
        return cookies.has_person({"HTTP_COOKIE": f"other=x; {text}"})

    assert not cookies.has_person({})
    asha.get(SIGN_IN)
    assert list(asha.client.cookies)  # a session without a person, for the token of the form
    assert not has_person()
    asha.sign_in()
    assert has_person()
    forged = URLSafeTimedSerializer("another key", salt="cookie-session").dumps({"_user_id": "x"})
    assert not cookies.has_person({"HTTP_COOKIE": f"glific_gpt_session={forged}"})
    asha.post("/console/account/sign-out", page=ACCOUNT)
    assert not has_person()


def test_records_of_sign_outs_are_deleted_when_their_sessions_have_expired(asha: ConsoleUser) -> None:
    app = asha.server.app

    def count() -> int:
        with app.app_context(), transaction() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(EndedSession)) or 0

    asha.sign_in()
    asha.post("/console/account/sign-out", page=ACCOUNT)
    with time_machine.travel(time.time() + sessions.LIFETIME.total_seconds()):
        assert run_housekeeping(app)
        assert count() == 1
    with time_machine.travel(time.time() + 25 * 3600):
        assert run_housekeeping(app)
        assert count() == 0


def test_signing_out_everywhere_needs_the_token_of_the_form(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert asha.post("/console/account/sign-out-everywhere", {"csrf_token": "forged"}).status_code == 400
    assert is_signed_in(asha)


def test_signing_out_everywhere_ends_all_sessions(asha: ConsoleUser) -> None:
    asha.sign_in()
    copied = dict(asha.client.cookies)
    out = asha.post("/console/account/sign-out-everywhere", page=ACCOUNT)
    assert (out.status_code, out.headers["Location"]) == (302, SIGN_IN)
    assert "You are signed out on all your devices." in asha.get(SIGN_IN).text
    with http.Client(cookies=copied) as thief:
        assert thief.get(asha.server.url + ACCOUNT).status_code == 302
    assert asha.sign_in().status_code == 302


@pytest.mark.parametrize("typed", ["Asha@Example.ORG", "  asha@example.org "])
def test_any_spelling_of_the_address_works(asha: ConsoleUser, typed: str) -> None:
    asha.email = typed
    assert asha.sign_in().status_code == 302


def test_a_wrong_password_and_an_unknown_address_look_the_same(asha: ConsoleUser, add_person: AddPerson) -> None:
    stranger = add_person("other@example.org")
    stranger.email = "nobody@example.org"
    wrong, unknown = asha.sign_in("not the password"), stranger.sign_in("not the password")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert normalize(wrong.text, asha.email) == normalize(unknown.text, stranger.email)
    assert "The e-mail address or the password is wrong." in wrong.text
    assert "not the password" not in wrong.text


def normalize(page: str, email: str) -> str:
    """Remove the CSRF token and the address from a page."""
    return remove_csrf_tokens(page).replace(email, "")


def test_it_continues_to_the_requested_page(asha: ConsoleUser) -> None:
    redirect = asha.get("/console/organizations/alice/calls")
    assert redirect.status_code == 302
    answer = asha.post(redirect.headers["Location"], {"email": asha.email, "password": PASSWORD})
    assert answer.headers["Location"].startswith("/console/organizations/alice/calls")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_does_not_redirect_to_other_hosts(asha: ConsoleUser, elsewhere: str) -> None:
    answer = asha.post(SIGN_IN, {"email": asha.email, "password": PASSWORD, "next": elsewhere})
    assert answer.status_code in (302, 422)
    assert answer.headers.get("Location", "/console/").startswith(("/console/", "/%5C"))  # a path of this host


def test_a_form_needs_a_csrf_token(asha: ConsoleUser) -> None:
    answer = asha.post(SIGN_IN, {"csrf_token": "forged", "email": asha.email, "password": PASSWORD})
    assert answer.status_code in (400, 422)
    assert not is_signed_in(asha)


def test_a_link_cannot_sign_a_user_out(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert asha.get("/console/account/sign-out").status_code == 405
    assert asha.post("/console/account/sign-out", {"csrf_token": "forged"}).status_code in (200, 400)
    assert is_signed_in(asha)


def test_it_refuses_json(asha: ConsoleUser) -> None:
    answer = asha.client.post(asha.server.url + SIGN_IN, json={"email": asha.email, "password": PASSWORD})
    assert answer.status_code == 415


def test_scripts_and_other_sites_cannot_use_the_cookies(asha: ConsoleUser) -> None:
    known, session = sorted(asha.sign_in().headers.get_list("Set-Cookie"))
    assert session.startswith("glific_gpt_session=")
    assert known.startswith("glific_gpt_known=")
    assert asha.email not in known
    assert {"HttpOnly", "SameSite=Lax", "Path=/console"} <= set(session.split("; "))
    assert {"HttpOnly", "SameSite=Lax", "Path=/console"} <= set(known.split("; "))
    assert "Secure" not in session + known


def test_cookies_are_secure_if_the_public_url_is_https(start_server: StartServer) -> None:
    server = start_server(public_url="https://gpt.example.org")
    asha = create_user(server, "asha@seva.example.org")
    with asha.client:
        page = http.get(server.url + SIGN_IN)
        (first,) = page.headers.get_list("Set-Cookie")
        # A client sends no secure cookies over HTTP. In production, a proxy ends TLS.
        asha.client.headers["Cookie"] = first.partition(";")[0]
        known, session = sorted(asha.sign_in().headers.get_list("Set-Cookie"))
        asha.client.headers["Cookie"] = session.partition(";")[0]
        assert is_signed_in(asha)
        api = asha.get("/api/v1/organizations")
    for cookie, name in ((first, "session"), (session, "session"), (known, "known")):
        assert cookie.startswith(f"__Host-glific_gpt_{name}=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert (api.status_code, api.headers.get_list("Set-Cookie")) == (401, [])


def test_a_server_without_https_sends_no_transport_security_header(asha: ConsoleUser) -> None:
    assert "Strict-Transport-Security" not in asha.get(SIGN_IN).headers


def test_a_disabled_user_is_signed_out_and_cannot_sign_in(asha: ConsoleUser) -> None:
    asha.sign_in()
    with asha.server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, asha.email), None, is_active=False)
    assert not is_signed_in(asha)
    assert asha.sign_in().status_code == 422
