"""Two-step sign-in: codes of an authenticator app, and recovery codes."""

import time

import pytest
import time_machine

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction
from tests.accounts.authenticator import CODE, RECOVERY, SETUP, Authenticator
from tests.accounts.test_passwords import NEW, actions, link_for
from tests.accounts.test_sign_in import ACCOUNT, is_signed_in
from tests.console.users import PASSWORD, ConsoleUser

FRESHNESS_SECONDS = 16 * 60
"""Time after which changes of the account need the password again."""


@pytest.fixture
def codes(asha: ConsoleUser, authenticator: Authenticator) -> list[str]:
    """Recovery codes of asha. She uses two-step sign-in and is signed out."""
    asha.sign_in()
    recovery_codes = authenticator.set_up(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    return recovery_codes


def enter_code(person: ConsoleUser, code: str, path: str = CODE) -> int:
    return person.post(path, {"code": code}, page=path).status_code


def row(person: ConsoleUser) -> User:
    with person.server.app.app_context(), transaction() as session:
        return people.find_person(session, person.email)


def test_the_password_alone_is_not_enough(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    answer = asha.sign_in()
    assert answer.headers["Location"].startswith(CODE)
    assert not is_signed_in(asha)
    assert enter_code(asha, "000000") == 422
    assert not is_signed_in(asha)
    assert enter_code(asha, authenticator.code()) == 302
    assert is_signed_in(asha)
    assert len(codes) == 10


def test_it_redirects_to_paths_without_a_host(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str]
) -> None:
    """A proxy may pass on a host that browsers cannot reach."""
    location = asha.sign_in().headers["Location"]
    answer = asha.post(location, {"code": authenticator.code()}, page=location)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/console/")


def test_a_code_is_accepted_once(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    code = authenticator.code()
    asha.sign_in()
    assert enter_code(asha, code) == 302
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert enter_code(asha, code) == 422
    assert not is_signed_in(asha)
    assert enter_code(asha, f"{authenticator.code(1)[:3]} {authenticator.code(1)[3:]}") == 302


def test_a_code_of_another_time_is_refused(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    asha.sign_in()
    assert enter_code(asha, authenticator.code(-3)) == 422
    assert enter_code(asha, authenticator.code(3)) == 422


def test_a_recovery_code_is_accepted_once(asha: ConsoleUser, codes: list[str]) -> None:
    asha.sign_in()
    assert enter_code(asha, "0000-0000-0000", RECOVERY) == 422
    assert enter_code(asha, f" {codes[0].upper()} ", RECOVERY) == 302
    assert is_signed_in(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert enter_code(asha, codes[0], RECOVERY) == 422
    assert enter_code(asha, codes[1], RECOVERY) == 302


def test_recovery_codes_are_not_shown_again(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    asha.sign_in()
    enter_code(asha, authenticator.code())
    page = asha.get("/console/account/two-factor/recovery-codes?show_codes=1").text
    assert not any(code in page for code in codes)


def test_a_signed_in_user_can_switch_it_off(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    asha.sign_in()
    enter_code(asha, authenticator.code())
    assert asha.post(SETUP, {"setup": "disable"}, page=SETUP).status_code == 302
    assert row(asha).tf_totp_secret is None
    assert row(asha).mf_recovery_codes is None
    assert {("two_factor_enabled", asha.email), ("two_factor_disabled", asha.email)} <= set(actions(asha))
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert is_signed_in(asha)


def test_changing_it_needs_the_password_again(asha: ConsoleUser) -> None:
    asha.sign_in()
    with time_machine.travel(time.time() + FRESHNESS_SECONDS):
        answer = asha.get(SETUP)
        assert answer.headers["Location"].startswith("/console/account/confirm")
        assert asha.get("/console/account/two-factor/recovery-codes").status_code == 302
        confirm = answer.headers["Location"]
        assert asha.post(confirm, {"password": "wrong, and long enough"}, page=confirm).status_code == 422
        assert asha.post(confirm, {"password": PASSWORD}, page=confirm).status_code == 302
        assert asha.get(SETUP).status_code == 200


def test_keys_and_codes_are_neither_in_the_database_nor_in_logs(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asha.sign_in()
    enter_code(asha, authenticator.code())
    stored = row(asha)
    stored_and_logged = f"{stored.tf_totp_secret} {stored.mf_recovery_codes}" + "".join(capsys.readouterr())
    assert authenticator.key not in stored_and_logged
    assert not any(code in stored_and_logged for code in codes)
    assert str(stored.tf_totp_secret) not in "".join(capsys.readouterr())


def test_a_new_password_does_not_replace_the_code(asha: ConsoleUser, authenticator: Authenticator) -> None:
    asha.sign_in()
    authenticator.set_up(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    path = link_for(asha)
    chosen = asha.post(path, {"password": NEW, "password_confirm": NEW}, page=path)
    assert chosen.headers["Location"] == "/console/account/sign-in"
    assert asha.get(ACCOUNT).status_code == 302
