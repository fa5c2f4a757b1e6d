"""Logins: kept for their life, made once for everybody who waits, and not made when Glific asks for silence."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import GlificNotVerified
from glific_gpt.glific.client import Glific
from glific_gpt.glific.resume import ApiAccess, Reply, Verdict
from tests.glific.conftest import Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn

PATIENCE = 20.0


def fifty_at_once(resume: Resume) -> list[Verdict]:
    together = threading.Barrier(50)

    def one(_: int) -> Verdict:
        together.wait()
        return resume(seconds=PATIENCE)

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(one, range(50)))


def tokens_used(glific: GlificStandIn) -> list[str]:
    return [received.headers["authorization"] for received in glific.requests if received.path == "/api"]


def test_it_logs_in_once_and_keeps_the_token(glific: GlificStandIn, resume: Resume) -> None:
    assert [resume().reply for _ in range(3)] == [Reply.DELIVERED] * 3
    assert [login.phone for login in glific.logins] == [PHONE]
    assert len(set(tokens_used(glific))) == 1


def test_it_sends_the_login_as_glific_wants_it(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    assert glific.requests[0].path == "/api/v1/session"
    assert glific.requests[0].body == {"user": {"phone": PHONE, "password": PASSWORD}}


def test_fifty_threads_that_need_a_token_make_one_login(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.slow(0.2))
    assert {verdict.reply for verdict in fifty_at_once(resume)} == {Reply.DELIVERED}
    assert len(glific.logins) == 1
    assert len(glific.resumptions) == 50


def test_fifty_threads_whose_token_was_forgotten_make_one_login(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    glific.forget_tokens()
    glific.will_at_login(behaviours.slow(0.2))
    assert {verdict.reply for verdict in fifty_at_once(resume)} == {Reply.DELIVERED}
    assert len(glific.logins) == 2


@pytest.mark.parametrize("life", [30, 60.5])
def test_fifty_threads_share_a_login_whose_token_ends_soon(glific: GlificStandIn, resume: Resume, life: float) -> None:
    glific.token_seconds = life
    glific.will_at_login(behaviours.slow(0.2))
    assert {verdict.reply for verdict in fifty_at_once(resume)} == {Reply.DELIVERED}
    assert len(glific.logins) < 10


@pytest.mark.parametrize("failure", [behaviours.server_error(), behaviours.says(401), behaviours.rate_limit("9")])
def test_a_login_that_failed_is_not_repeated_by_those_who_waited_for_it(
    glific: GlificStandIn, resume: Resume, failure: Behaviour
) -> None:
    glific.always_at_login(behaviours.slow(0.2, failure))
    verdicts = fifty_at_once(resume)
    assert len({(verdict.reply, verdict.said) for verdict in verdicts}) == 1
    assert len(glific.requests) == 1


def test_a_token_is_renewed_a_minute_before_its_end(glific: GlificStandIn, resume: Resume) -> None:
    glific.token_seconds = 60.3
    resume()
    resume()
    time.sleep(0.4)
    resume()
    first, second, third = tokens_used(glific)
    assert first == second != third


@pytest.mark.parametrize(
    "expiry",
    [
        None,
        "",
        "soon",
        1719400000,
        [],
        "0001-01-01T00:00:00+23:59",
        "2020-01-01T00:00:00+00:00",
    ],
)
def test_a_token_whose_end_cannot_be_known_is_kept_for_a_while(
    glific: GlificStandIn, resume: Resume, expiry: Any
) -> None:
    glific.always_at_login(behaviours.logged_in(token_expiry_time=expiry))
    assert [resume().reply for _ in range(2)] == [Reply.DELIVERED] * 2
    assert len(set(tokens_used(glific))) == 1


def test_an_end_without_a_time_zone_is_in_utc(glific: GlificStandIn, resume: Resume) -> None:
    end = (datetime.now(UTC) + timedelta(minutes=2)).replace(tzinfo=None).isoformat()
    glific.always_at_login(behaviours.logged_in(token_expiry_time=end))
    resume()
    resume()
    assert len(set(tokens_used(glific))) == 1


def test_a_new_password_is_a_new_login(glific: GlificStandIn, resume: Resume, login: ApiAccess) -> None:
    resume()
    glific.accounts[PHONE] = "another password"
    resume(replace(login, password=SecretStr("another password")))
    assert [each.accepted for each in glific.logins] == [True, True]


def test_two_organizations_never_share_a_token(glific: GlificStandIn, resume: Resume, login: ApiAccess) -> None:
    glific.accounts["911111111111"] = PASSWORD
    resume()
    resume(replace(login, phone="911111111111"))
    assert [each.phone for each in glific.logins] == [PHONE, "911111111111"]
    assert len(set(tokens_used(glific))) == 2


def test_glific_is_not_asked_again_before_the_end_of_its_retry_after(
    glific: GlificStandIn, client: Glific, login: ApiAccess, resume: Resume
) -> None:
    glific.will_at_login(behaviours.rate_limit("1"))
    first, second = resume(), resume()
    assert (first.reply, second.reply) == (Reply.TRY_LATER, Reply.TRY_LATER)
    assert first.retry_after == 1.0
    assert 0.5 < (second.retry_after or 0) <= 1.0
    with pytest.raises(GlificNotVerified, match="no more logins"):
        client.verify(login, Deadline.after(5))
    assert len(glific.requests) == 1

    time.sleep(second.retry_after or 0)
    assert resume().reply is Reply.DELIVERED


def test_a_token_outlasts_a_verification_that_came_too_often(
    glific: GlificStandIn, client: Glific, login: ApiAccess, resume: Resume
) -> None:
    resume()
    glific.will_at_login(behaviours.rate_limit("60"))
    with pytest.raises(GlificNotVerified):
        client.verify(login, Deadline.after(5))
    assert resume().reply is Reply.DELIVERED


def test_a_token_that_has_ended_is_not_used_when_no_other_comes(glific: GlificStandIn, resume: Resume) -> None:
    glific.token_seconds = 0.1
    resume()
    glific.always_at_login(behaviours.server_error())
    assert [resume().reply for _ in range(2)] == [Reply.TRY_LATER] * 2
    assert len(tokens_used(glific)) == 1


def test_the_limit_of_one_account_is_not_that_of_another(
    glific: GlificStandIn, login: ApiAccess, resume: Resume
) -> None:
    glific.accounts["911111111111"] = PASSWORD
    glific.will_at_login(behaviours.rate_limit("60"))
    assert resume().reply is Reply.TRY_LATER
    assert resume(replace(login, phone="911111111111")).reply is Reply.DELIVERED


def test_a_limit_without_a_retry_after_is_a_minute(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.rate_limit(None))
    assert resume().retry_after == 60.0
    assert resume().reply is Reply.TRY_LATER
    assert len(glific.requests) == 1


def test_a_refused_login_is_not_tried_at_once_again(glific: GlificStandIn, resume: Resume, login: ApiAccess) -> None:
    wrong = replace(login, password=SecretStr("wrong"))
    assert [resume(wrong).reply for _ in range(5)] == [Reply.REFUSED] * 5
    assert len(glific.logins) == 1
    assert resume().reply is Reply.DELIVERED


def test_a_login_that_failed_for_a_moment_is_tried_again_a_moment_later(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.server_error(503))
    assert resume().reply is Reply.TRY_LATER
    time.sleep(0.3)
    assert resume().reply is Reply.DELIVERED


WRONG_PASSWORD = "does not accept this phone number and password"
NO_GLIFIC = "does not log in as Glific does"

LOGINS: dict[str, tuple[Behaviour, Reply, str]] = {
    "a wrong password": (behaviours.says(401), Reply.REFUSED, WRONG_PASSWORD),
    "suspended": (behaviours.says(403), Reply.REFUSED, "has suspended"),
    "not found": (behaviours.says(404), Reply.REFUSED, NO_GLIFIC),
    "another refusal": (behaviours.says(422), Reply.REFUSED, NO_GLIFIC),
    "a time-out of its own": (behaviours.says(408), Reply.TRY_LATER, "failure of its own"),
    "a failure": (behaviours.server_error(), Reply.TRY_LATER, "failure of its own"),
    "a redirect": (behaviours.redirect("http://127.0.0.1:9/"), Reply.REFUSED, "leads elsewhere"),
    "a page": (behaviours.html(), Reply.TRY_LATER, NO_GLIFIC),
    "nothing": (behaviours.nothing(), Reply.TRY_LATER, NO_GLIFIC),
    "without end": (behaviours.huge(), Reply.TRY_LATER, NO_GLIFIC),
    "half a body": (behaviours.half_a_body(), Reply.TRY_LATER, "broke off"),
    "hanging up": (behaviours.hang_up(), Reply.TRY_LATER, "broke off"),
} | {
    f"shape {number}": (behaviours.says(200, shape), Reply.TRY_LATER, NO_GLIFIC)
    for number, shape in enumerate(behaviours.WRONG_SHAPES)
}

Verify = Callable[[], None]


@pytest.mark.parametrize("fault", LOGINS)
def test_a_login_that_fails_says_why_and_whether_it_passes(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    behaviour, reply, said = LOGINS[fault]
    glific.always_at_login(behaviour)
    verdict = resume()
    assert (verdict.reply, verdict.may_have_arrived) == (reply, False)
    assert said in verdict.said


@pytest.mark.parametrize("fault", LOGINS)
def test_a_connection_is_not_verified_when_the_login_fails(
    glific: GlificStandIn, client: Glific, login: ApiAccess, fault: str
) -> None:
    behaviour, _, said = LOGINS[fault]
    glific.always_at_login(behaviour)
    with pytest.raises(GlificNotVerified, match=said):
        client.verify(login, Deadline.after(5))


@pytest.mark.parametrize("silence", [behaviours.never(), behaviours.drip(0.1, "head"), behaviours.drip(0.1, "body")])
def test_a_login_ends_with_the_deadline(glific: GlificStandIn, resume: Resume, silence: Behaviour) -> None:
    glific.always_at_login(silence)
    start = time.monotonic()
    verdict = resume(seconds=0.5)
    assert time.monotonic() - start < 0.8
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)


def test_waiting_for_anothers_login_ends_with_the_own_deadline(glific: GlificStandIn, resume: Resume) -> None:
    glific.always_at_login(behaviours.never())
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(resume, seconds=1.5)
        while not glific.requests:
            time.sleep(0.01)
        start = time.monotonic()
        verdict = resume(seconds=0.3)
        assert time.monotonic() - start < 0.6
        assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)
        assert long.result().reply is Reply.TRY_LATER
    assert len(glific.requests) == 1
