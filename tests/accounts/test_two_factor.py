"""The second factor: a phone's codes, and recovery codes for who has lost it."""

import time

import pytest
import time_machine

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction
from tests.accounts.authenticator import CODE, RECOVERY, SETUP, Authenticator
from tests.accounts.test_passwords import actions
from tests.accounts.test_sign_in import ACCOUNT, is_signed_in
from tests.console.users import PASSWORD, ConsoleUser

LATER = 16 * 60
"""Seconds after which the password is asked for again, before how somebody signs in is changed."""


@pytest.fixture
def codes(asha: ConsoleUser, authenticator: Authenticator) -> list[str]:
    """Recovery codes of asha, whose second factor is on and who has signed out."""
    asha.sign_in()
    made = authenticator.set_up(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    return made


def give(person: ConsoleUser, code: str, path: str = CODE) -> int:
    return person.post(path, {"code": code}, page=path).status_code


def row(person: ConsoleUser) -> User:
    with person.server.app.app_context(), transaction() as session:
        return people.find_person(session, person.email)


def test_the_password_alone_is_not_enough_any_more(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str]
) -> None:
    answer = asha.sign_in()
    assert answer.headers["Location"].startswith(CODE)
    assert not is_signed_in(asha)
    assert give(asha, "000000") == 422
    assert not is_signed_in(asha)
    assert give(asha, authenticator.code()) == 302
    assert is_signed_in(asha)
    assert len(codes) == 10


def test_it_leads_on_by_paths_alone(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    """A proxy may have left of the address what browsers cannot reach."""
    asked = asha.sign_in().headers["Location"]
    answer = asha.post(asked, {"code": authenticator.code()}, page=asked)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/console/")


def test_a_code_is_taken_once(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    code = authenticator.code()
    asha.sign_in()
    assert give(asha, code) == 302
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert give(asha, code) == 422
    assert not is_signed_in(asha)
    assert give(asha, f"{authenticator.code(1)[:3]} {authenticator.code(1)[3:]}") == 302


def test_a_code_from_another_time_is_not_taken(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str]
) -> None:
    asha.sign_in()
    assert give(asha, authenticator.code(-3)) == 422
    assert give(asha, authenticator.code(3)) == 422


def test_a_recovery_code_is_taken_once(asha: ConsoleUser, codes: list[str]) -> None:
    asha.sign_in()
    assert give(asha, "0000-0000-0000", RECOVERY) == 422
    assert give(asha, f" {codes[0].upper()} ", RECOVERY) == 302
    assert is_signed_in(asha)
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert give(asha, codes[0], RECOVERY) == 422
    assert give(asha, codes[1], RECOVERY) == 302


def test_recovery_codes_are_not_shown_again(asha: ConsoleUser, authenticator: Authenticator, codes: list[str]) -> None:
    asha.sign_in()
    give(asha, authenticator.code())
    page = asha.get("/console/account/two-factor/recovery-codes?show_codes=1").text
    assert not any(code in page for code in codes)


def test_it_is_switched_off_by_who_is_signed_in(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str]
) -> None:
    asha.sign_in()
    give(asha, authenticator.code())
    assert asha.post(SETUP, {"setup": "disable"}, page=SETUP).status_code == 302
    assert row(asha).tf_totp_secret is None
    assert row(asha).mf_recovery_codes is None
    assert {("two_factor_enabled", asha.email), ("two_factor_disabled", asha.email)} <= set(actions(asha))
    asha.post("/console/account/sign-out", page=ACCOUNT)
    asha.sign_in()
    assert is_signed_in(asha)


def test_it_asks_for_the_password_again_before_it_is_changed(asha: ConsoleUser) -> None:
    asha.sign_in()
    with time_machine.travel(time.time() + LATER):
        answer = asha.get(SETUP)
        assert answer.headers["Location"].startswith("/console/account/confirm")
        assert asha.get("/console/account/two-factor/recovery-codes").status_code == 302
        confirm = answer.headers["Location"]
        assert asha.post(confirm, {"password": "wrong, and long enough"}, page=confirm).status_code == 422
        assert asha.post(confirm, {"password": PASSWORD}, page=confirm).status_code == 302
        assert asha.get(SETUP).status_code == 200


def test_a_session_ends_after_twelve_hours_however_busy_it_was(asha: ConsoleUser) -> None:
    asha.sign_in()
    now = time.time()
    with time_machine.travel(now + 11 * 3600):
        assert is_signed_in(asha)
    with time_machine.travel(now + 12 * 3600 + 60):
        assert not is_signed_in(asha)


def test_nothing_that_makes_codes_is_in_the_database_or_the_logs(
    asha: ConsoleUser, authenticator: Authenticator, codes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asha.sign_in()
    give(asha, authenticator.code())
    stored = row(asha)
    everything = f"{stored.tf_totp_secret} {stored.mf_recovery_codes}" + "".join(capsys.readouterr())
    assert authenticator.key not in everything
    assert not any(code in everything for code in codes)
    assert str(stored.tf_totp_secret) not in "".join(capsys.readouterr())
