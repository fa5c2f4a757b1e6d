"""The login throttle limits guesses, but not a user with the right password."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from glific_gpt.accounts.sign_in import login_throttle
from glific_gpt.accounts.tables import Role
from glific_gpt.errors import SettingsError
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from tests.accounts.authenticator import CODE, Authenticator
from tests.accounts.conftest import AddPerson
from tests.accounts.test_sign_in import ACCOUNT, is_signed_in
from tests.conftest import StartServer
from tests.console.users import PASSWORD, ConsoleUser, create_client, create_user
from tests.support import http
from tests.support.apps import create_app
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization
from tests.support.settings import create_settings

WRONG = "not the password at all"
SIGN_IN = "/console/account/sign-in"
CONFIRM = "/console/account/confirm"
TOO_LONG = "x" * 4097
"""Longer than a password may be, so that it is refused without hashing."""


def guess(person: ConsoleUser, times: int) -> list[int]:
    return [person.sign_in(WRONG).status_code for _ in range(times)]


def test_it_limits_guesses_of_a_password(asha: ConsoleUser) -> None:
    assert guess(asha, 6) == [422] * 5 + [429]
    slowed = asha.sign_in()
    assert slowed.status_code == 429
    assert "Too many attempts" in slowed.text
    assert 0 < int(slowed.headers["Retry-After"]) <= 60
    assert not is_signed_in(asha)


def test_it_limits_guesses_for_an_unknown_address(asha: ConsoleUser) -> None:
    asha.email = "nobody@example.org"
    assert guess(asha, 6) == [422] * 5 + [429]


def test_spellings_of_an_address_count_together(asha: ConsoleUser) -> None:
    for spelling in ("ASHA@example.org", " asha@example.org", "Asha@Example.org"):
        asha.email = spelling
        guess(asha, 2)
    assert asha.sign_in().status_code == 429


def test_failed_attempts_of_one_user_do_not_count_for_another(asha: ConsoleUser, add_person: AddPerson) -> None:
    guess(asha, 6)
    assert add_person("bea@example.org").sign_in().status_code == 302


def test_successful_attempts_do_not_count(asha: ConsoleUser) -> None:
    for _ in range(7):
        assert asha.sign_in().status_code == 302
        asha.post("/console/account/sign-out", page=ACCOUNT)


def test_it_limits_guesses_with_many_addresses(asha: ConsoleUser) -> None:
    statuses = set()
    token = asha.token()
    for number in range(31):
        fields = {"csrf_token": token, "email": f"person{number}@example.org", "password": WRONG}
        statuses.add(asha.client.post(asha.server.url + SIGN_IN, data=fields).status_code)
    assert statuses == {422, 429}


def test_it_limits_guesses_of_codes_also_in_a_new_browser(asha: ConsoleUser, authenticator: Authenticator) -> None:
    asha.sign_in()
    authenticator.set_up(asha)
    statuses = []
    for _ in range(3):
        thief = ConsoleUser(asha.server, asha.email, create_client())
        with thief.client:
            thief.sign_in()
            statuses += [thief.post(CODE, {"code": "000000"}, page=CODE).status_code for _ in range(2)]
    assert statuses == [422] * 5 + [429]


def send_concurrently(person: ConsoleUser, path: str, fields: list[dict[str, str]]) -> list[int]:
    """Send forms in the same session at the same time, and return the statuses."""
    token, cookies = person.token(path), dict(person.client.cookies)

    def send(values: dict[str, str]) -> int:
        data = {"csrf_token": token} | values
        url = person.server.url + path
        return http.post(url, data=data, cookies=cookies, timeout=TIMEOUT_SECONDS).status_code

    with ThreadPoolExecutor(len(fields)) as threads:
        return list(threads.map(send, fields))


def test_concurrent_attempts_count_like_sequential_ones(asha: ConsoleUser) -> None:
    statuses = send_concurrently(asha, SIGN_IN, [{"email": asha.email, "password": WRONG}] * 15)
    assert set(statuses) == {422, 429}
    assert statuses.count(422) <= 5


def test_concurrent_codes_count_like_sequential_ones(asha: ConsoleUser, authenticator: Authenticator) -> None:
    asha.sign_in()
    authenticator.set_up(asha)
    with create_client() as client:
        thief = ConsoleUser(asha.server, asha.email, client)
        thief.sign_in()
        statuses = send_concurrently(thief, CODE, [{"code": f"{number:06}"} for number in range(15)])
    assert set(statuses) == {422, 429}
    assert statuses.count(422) <= 5


SLOTS = (login_throttle.verified_slot, login_throttle.other_slot)


@contextmanager
def taken(*slots: FairSemaphore) -> Iterator[None]:
    """Other attempts take these slots for password checks."""
    for slot in slots:
        assert slot.acquire("other", TIMEOUT_SECONDS)
    try:
        yield
    finally:
        for slot in slots:
            slot.release()


def test_password_checks_have_a_concurrency_limit_that_affects_nothing_else(
    asha: ConsoleUser, alice: TestOrganization
) -> None:
    with taken(*SLOTS):
        answer = asha.sign_in()
        assert answer.status_code == 429
        assert "Try again in 1 minute." in answer.text
        assert int(answer.headers["Retry-After"]) == 60
        assert asha.get(SIGN_IN).status_code == 200
        assert alice.ask().status_code == 200


def test_attempts_of_strangers_do_not_keep_a_person_from_a_known_browser(asha: ConsoleUser) -> None:
    assert asha.sign_in().status_code == 302
    asha.post("/console/account/sign-out", page=ACCOUNT)
    with taken(login_throttle.other_slot):
        assert asha.sign_in().status_code == 302
        change = {"password": PASSWORD, "new_password": WRONG, "new_password_confirm": WRONG}
        assert asha.post("/console/account/password", change, page="/console/account/password").status_code == 302


def test_right_passwords_of_a_person_are_limited_too(asha: ConsoleUser) -> None:
    """Each check takes the slot that persons of all organizations share."""
    asha.sign_in()
    confirm, data = asha.server.url + CONFIRM, {"csrf_token": asha.token(ACCOUNT), "password": PASSWORD}
    statuses = [asha.client.post(confirm, data=data).status_code for _ in range(21)]
    assert statuses == [302] * 20 + [429]


class RecordingSlot(FairSemaphore):
    """A slot for any number of attempts, which records the groups in which they would wait."""

    def __init__(self) -> None:
        super().__init__(100, max_waiting=0, max_waiting_of_group=0)
        self.groups: list[str] = []

    def acquire(self, group: str, timeout: float) -> bool:
        self.groups.append(group)
        return super().acquire(group, timeout)


@pytest.mark.both_databases
def test_members_of_an_organization_wait_as_one_group_and_leave_room_for_others(
    asha: ConsoleUser,
    authenticator: Authenticator,
    add_person: AddPerson,
    bob: TestOrganization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slot = RecordingSlot()
    monkeypatch.setattr(login_throttle, "verified_slot", slot)
    member, other = add_person("member@example.org"), create_user(asha.server, "b@example.org", Role.VIEWER, bob.slug)
    boss = add_person("boss@example.org", None)
    for person in (asha, member, other, boss):
        person.sign_in()  # in a browser that is not known
        person.post(CONFIRM, {"password": PASSWORD}, page=ACCOUNT)
    authenticator.set_up(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()  # in a known browser
    assert asha.post(CODE, {"code": authenticator.code()}, page=CODE).status_code == 302
    of_asha, of_member, of_other, of_boss, *later = slot.groups
    assert len({of_asha, of_other, of_boss}) == 3
    assert {of_member, *later} == {of_asha}
    assert len(later) == 2
    other.client.close()


def test_few_attempts_of_strangers_wait_so_that_pages_keep_their_threads(
    asha: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_throttle, "SLOT_TIMEOUT_SECONDS", 3.0)
    token = asha.token()

    def attempt(number: int) -> float:
        start = time.monotonic()
        fields = {"csrf_token": token, "email": f"person{number}@example.org", "password": WRONG}
        assert asha.client.post(asha.server.url + SIGN_IN, data=fields).status_code == 429
        return time.monotonic() - start

    with taken(login_throttle.other_slot), ThreadPoolExecutor(10) as pool:
        seconds = sorted(pool.map(attempt, range(10)))
    assert seconds[1] < 3 <= seconds[2]  # eight of one address wait


def test_every_slot_is_released(asha: ConsoleUser) -> None:
    for password in (WRONG, TOO_LONG, PASSWORD, WRONG, TOO_LONG):
        asha.sign_in(password)
    with taken(*SLOTS):
        pass


def test_a_password_that_is_too_long_counts_as_wrong(asha: ConsoleUser) -> None:
    answers = [asha.sign_in(TOO_LONG) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert "The e-mail address or the password is wrong." in answers[0].text


def test_what_a_stranger_types_is_not_logged(
    asha: ConsoleUser, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    asha.email = "my-password-in-the-wrong-field"
    assert guess(asha, 6)[-1] == 429
    assert "exceeded" in caplog.text
    assert asha.email not in caplog.text + capfd.readouterr().err


def test_it_limits_guesses_of_the_password_in_a_session(asha: ConsoleUser) -> None:
    asha.sign_in()
    page = "/console/account/password"
    fields = {"password": WRONG, "new_password": PASSWORD + "!", "new_password_confirm": PASSWORD + "!"}
    assert [asha.post(page, fields, page=page).status_code for _ in range(6)] == [422] * 5 + [429]


def guess_from(server: RunningServer, address: str, number: int) -> int:
    """Try a wrong password with this address in X-Forwarded-For, and return the status."""
    with create_client() as client:
        client.headers["X-Forwarded-For"] = f"203.0.113.1, {address}"
        return ConsoleUser(server, f"person{number}@example.org", client).sign_in(WRONG).status_code


def test_behind_a_proxy_each_client_has_its_own_address(start_server: StartServer) -> None:
    server = start_server(trusted_proxy_count=1)
    assert {guess_from(server, f"198.51.100.{number}", number) for number in range(31)} == {422}


@pytest.mark.parametrize(
    ("address", "statuses"),
    [("2001:db8::{:x}", {422, 429}), ("2001:db8:0:{:x}::1", {422}), ("::ffff:198.51.100.{}", {422})],
)
def test_an_ipv6_network_counts_as_one_client(start_server: StartServer, address: str, statuses: set[int]) -> None:
    """Providers give each customer a whole IPv6 network."""
    server = start_server(trusted_proxy_count=1)
    assert {guess_from(server, address.format(number), number) for number in range(1, 32)} == statuses


def test_guesses_from_many_addresses_are_limited_without_blocking_a_known_browser(start_server: StartServer) -> None:
    server = start_server(trusted_proxy_count=1)
    with create_client() as own, create_client() as others:
        asha = create_user(server, "asha@example.org")
        asha.client = own
        asha.sign_in()
        asha.post("/console/account/sign-out", page=ACCOUNT)
        crowd_of_strangers = ConsoleUser(server, asha.email, others)
        fields = {"csrf_token": crowd_of_strangers.token(), "email": asha.email, "password": TOO_LONG}
        statuses = []
        for number in range(101):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            statuses.append(others.post(server.url + SIGN_IN, data=fields, headers=headers).status_code)
        assert statuses == [422] * 100 + [429]
        assert crowd_of_strangers.sign_in().status_code == 429
        assert asha.sign_in().status_code == 302


def test_strangers_at_the_same_address_do_not_block_a_known_browser(asha: ConsoleUser) -> None:
    asha.sign_in()
    asha.post("/console/account/sign-out", page=ACCOUNT)
    with create_client() as client:
        stranger = ConsoleUser(asha.server, asha.email, client)
        fields = {"csrf_token": stranger.token(), "password": TOO_LONG}
        emails = [asha.email] * 6 + [f"person{number}@example.org" for number in range(30)]
        statuses = [
            client.post(asha.server.url + SIGN_IN, data=fields | {"email": email}).status_code for email in emails
        ]
        assert (statuses[5], statuses[-1]) == (429, 429)
        assert stranger.sign_in().status_code == 429
    assert asha.sign_in().status_code == 302


def test_it_limits_guesses_in_a_known_browser(asha: ConsoleUser) -> None:
    asha.sign_in()
    asha.post("/console/account/sign-out", page=ACCOUNT)
    assert guess(asha, 6) == [422] * 5 + [429]


def test_one_address_cannot_use_up_the_attempts_for_an_account(start_server: StartServer) -> None:
    server = start_server(trusted_proxy_count=1)
    with create_client() as one_address, create_client() as own:
        asha = create_user(server, "asha@example.org")
        stranger = ConsoleUser(server, asha.email, one_address)
        fields = {"csrf_token": stranger.token(), "email": asha.email, "password": TOO_LONG}
        headers = {"X-Forwarded-For": "198.51.100.1"}
        statuses = [
            one_address.post(server.url + SIGN_IN, data=fields, headers=headers).status_code for _ in range(110)
        ]
        assert statuses == [422] * 5 + [429] * 105
        asha.client = own  # a browser in which she has never signed in
        own.headers["X-Forwarded-For"] = "198.51.100.2"
        assert asha.sign_in().status_code == 302


def test_it_limits_the_forgotten_passwords_of_one_address(asha: ConsoleUser) -> None:
    """Each process prepares few e-mails at the same time, so a stranger could keep them from everyone else."""
    page = "/console/account/forgotten"
    fields = {"csrf_token": asha.token(page)}
    statuses = [
        asha.client.post(asha.server.url + page, data=fields | {"email": f"person{number}@example.org"}).status_code
        for number in range(31)
    ]
    assert statuses[-1] == 429
    assert 429 not in statuses[:30]


def test_without_a_proxy_forwarded_addresses_are_ignored(server: RunningServer) -> None:
    assert {guess_from(server, f"198.51.100.{number}", number) for number in range(31)} == {422, 429}


@pytest.mark.parametrize("url", ["redis://:a-password@127.0.0.1:6379", "rediss://127.0.0.1:6379"])
def test_the_error_names_the_missing_package_for_redis(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)  # Python then raises ModuleNotFoundError
    with pytest.raises(SettingsError, match="pip install redis") as caught:
        create_app(create_settings(rate_limit_storage_url=url))
    assert "a-password" not in str(caught.value)


def test_webhooks_are_not_counted(asha: ConsoleUser, alice: TestOrganization) -> None:
    guess(asha, 6)
    assert alice.ask().status_code == 200
