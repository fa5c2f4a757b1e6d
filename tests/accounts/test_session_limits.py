"""A session ends after a time without activity, and in any case twelve hours after the password was entered."""

import time

import pytest
import time_machine

from tests.accounts.test_sign_in import ACCOUNT, SIGN_IN, is_signed_in
from tests.conftest import StartServer
from tests.console.users import PASSWORD, ConsoleUser, create_client, create_user
from tests.support import http

HOUR = 3600
CONFIRM = "/console/account/confirm"
CALLS = "/console/organizations/alice/calls"


def end_reason(person: ConsoleUser, path: str = ACCOUNT) -> str:
    """Open a page that needs a session, and return the sign-in page to which it leads."""
    answer = person.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(SIGN_IN)
    return person.get(answer.headers["Location"]).text


def test_a_session_ends_after_two_hours_without_activity(asha: ConsoleUser) -> None:
    asha.sign_in()
    now = time.time()
    with time_machine.travel(now + 1.9 * HOUR):
        assert is_signed_in(asha)
    with time_machine.travel(now + 3.8 * HOUR):
        assert is_signed_in(asha)
    with time_machine.travel(now + 6 * HOUR):
        page = end_reason(asha)
        assert "You were signed out after 2 hours without activity. Sign in again." in page
        assert not is_signed_in(asha)
        assert "without activity" not in asha.get(SIGN_IN).text
        assert asha.sign_in().status_code == 302
        assert is_signed_in(asha)


def test_the_time_is_a_setting(start_server: StartServer) -> None:
    server = start_server(idle_timeout_minutes=5)
    person = create_user(server, "asha@example.org")
    with person.client:
        person.sign_in()
        with time_machine.travel(time.time() + 4 * 60):
            assert is_signed_in(person)
        with time_machine.travel(time.time() + 10 * 60):
            person.client.headers["Accept-Language"] = "hi"
            assert "5 मिनट तक कोई काम न होने से" in end_reason(person)


def test_an_old_copy_of_the_cookie_is_idle_too(asha: ConsoleUser) -> None:
    asha.sign_in()
    copied = dict(asha.client.cookies)
    now = time.time()
    with time_machine.travel(now + 1.5 * HOUR):
        assert is_signed_in(asha)
    with time_machine.travel(now + 2.5 * HOUR), http.Client(cookies=copied) as thief:
        assert is_signed_in(asha)
        assert thief.get(asha.server.url + ACCOUNT).status_code == 302


def test_a_form_is_refused_after_the_time(asha: ConsoleUser) -> None:
    asha.sign_in()
    token = asha.token(ACCOUNT)
    with time_machine.travel(time.time() + 2.1 * HOUR):
        url = asha.server.url + "/console/account/language"
        answer = asha.client.post(url, data={"csrf_token": token, "language": "hi"})
        assert (answer.status_code, answer.headers["Location"]) == (302, SIGN_IN)
        assert "without activity" in asha.get(SIGN_IN).text


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("http://any.example/console/account/?a=b", "?next=/console/account/?a%3Db"),
        ("http://any.example/console/account/language", ""),  # only for forms
        ("http://any.example/livez", ""),
        ("http://any.example//evil.example/console/", ""),
        ("http://[", ""),
        ("nonsense", ""),
    ],
)
def test_a_form_that_is_refused_leads_back_to_its_page(asha: ConsoleUser, referer: str, page: str) -> None:
    asha.sign_in()
    url = asha.server.url + "/console/account/language"
    with time_machine.travel(time.time() + 2.1 * HOUR):
        answer = asha.client.post(url, headers={"Referer": referer})
        assert (answer.status_code, answer.headers["Location"]) == (302, SIGN_IN + page)
        part = asha.client.post(url, headers={"HX-Request": "true", "HX-Current-URL": referer})
        assert part.headers["HX-Redirect"] == SIGN_IN + page


def test_requests_that_a_page_sends_by_itself_are_no_activity(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert 'hx-headers=\'{"X-Background-Request": "1"}\'' in asha.get(CALLS).text
    headers = {"HX-Request": "true", "X-Background-Request": "1"}
    now = time.time()
    with time_machine.travel(now + 1.5 * HOUR):
        assert asha.get(CALLS, headers=headers).status_code == 200
    with time_machine.travel(now + 2.5 * HOUR):
        assert asha.get(CALLS, headers=headers).headers["HX-Redirect"] == SIGN_IN
        assert "without activity" in asha.get(SIGN_IN).text


def test_an_active_session_ends_after_twelve_hours(asha: ConsoleUser) -> None:
    asha.sign_in()
    now = time.time()
    for hour in range(1, 12):
        with time_machine.travel(now + hour * HOUR):
            assert is_signed_in(asha)
    with time_machine.travel(now + 12 * HOUR + 60):
        assert "You were signed out 12 hours after you entered your password." in end_reason(asha)


def test_entering_the_password_again_does_not_end_the_idle_time(asha: ConsoleUser) -> None:
    asha.sign_in()
    now = time.time()
    with time_machine.travel(now + HOUR):
        assert asha.post(CONFIRM, {"password": PASSWORD}, page=CONFIRM).status_code == 302
    with time_machine.travel(now + 3.1 * HOUR):
        assert not is_signed_in(asha)


def test_the_reason_is_shown_after_days(asha: ConsoleUser) -> None:
    asha.sign_in()
    with time_machine.travel(time.time() + 3 * 24 * HOUR):
        assert "You were signed out" in end_reason(asha)


def test_a_session_that_was_ended_elsewhere_gives_the_reason(asha: ConsoleUser) -> None:
    asha.sign_in()
    with create_client() as client:
        phone = ConsoleUser(asha.server, asha.email, client)
        phone.sign_in()
        phone.post("/console/account/sign-out-everywhere", page=ACCOUNT)
    assert "Your session was ended: you signed out somewhere else" in end_reason(asha)


def test_an_expired_page_leads_back_to_its_form(asha: ConsoleUser) -> None:
    asha.sign_in()
    form = f"{asha.server.url}{CALLS}"
    answer = asha.client.post(f"{asha.server.url}/console/organizations/alice/openai", headers={"Referer": form})
    assert answer.status_code == 400
    assert f'href="{CALLS}"' in answer.text
    assert "Open the page again" in answer.text


def test_a_stranger_gets_no_reason(asha: ConsoleUser) -> None:
    with create_client() as client:
        stranger = ConsoleUser(asha.server, "", client)
        assert "You were signed out" not in end_reason(stranger)


@pytest.mark.parametrize("path", [CONFIRM, "/console/account/password", "/console/account/two-factor"])
def test_pages_of_the_account_give_the_reason(asha: ConsoleUser, path: str) -> None:
    asha.sign_in()
    with time_machine.travel(time.time() + 2.1 * HOUR):
        assert "without activity" in end_reason(asha, path)
