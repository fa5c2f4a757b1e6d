"""Logins: tokens are reused, waiting threads share one login, and rate limits of Glific are respected."""

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
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import ApiAccess, DeliveryResult, DeliveryStatus
from tests.glific.conftest import Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn

TIMEOUT_SECONDS = 20.0


def resume_in_fifty_threads(resume: Resume) -> list[DeliveryResult]:
    barrier = threading.Barrier(50)

    def resume_one(_: int) -> DeliveryResult:
        barrier.wait()
        return resume(seconds=TIMEOUT_SECONDS)

    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(resume_one, range(50)))


def tokens_used(glific: GlificStandIn) -> list[str]:
    return [received.headers["authorization"] for received in glific.requests if received.path == "/api"]


def test_it_logs_in_once_and_keeps_the_token(glific: GlificStandIn, resume: Resume) -> None:
    assert [resume().status for _ in range(3)] == [DeliveryStatus.DELIVERED] * 3
    assert [login.phone for login in glific.logins] == [PHONE]
    assert len(set(tokens_used(glific))) == 1


def test_it_sends_the_documented_login(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    assert glific.requests[0].path == "/api/v1/session"
    assert glific.requests[0].body == {"user": {"phone": PHONE, "password": PASSWORD}}


def test_fifty_threads_that_need_a_token_make_one_login(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.respond_after(0.2))
    assert {result.status for result in resume_in_fifty_threads(resume)} == {DeliveryStatus.DELIVERED}
    assert len(glific.logins) == 1
    assert len(glific.resumptions) == 50


def test_fifty_threads_whose_token_became_invalid_make_one_login(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    glific.forget_tokens()
    glific.will_at_login(behaviours.respond_after(0.2))
    assert {result.status for result in resume_in_fifty_threads(resume)} == {DeliveryStatus.DELIVERED}
    assert len(glific.logins) == 2


@pytest.mark.parametrize("lifetime", [30, 60.5])
def test_fifty_threads_share_a_token_that_expires_soon(glific: GlificStandIn, resume: Resume, lifetime: float) -> None:
    glific.token_seconds = lifetime
    glific.will_at_login(behaviours.respond_after(0.2))
    assert {result.status for result in resume_in_fifty_threads(resume)} == {DeliveryStatus.DELIVERED}
    assert len(glific.logins) < 10


@pytest.mark.parametrize("failure", [behaviours.server_error(), behaviours.respond(401), behaviours.rate_limit("9")])
def test_threads_that_waited_for_a_failed_login_do_not_repeat_it(
    glific: GlificStandIn, resume: Resume, failure: Behaviour
) -> None:
    glific.always_at_login(behaviours.respond_after(0.2, failure))
    results = resume_in_fifty_threads(resume)
    assert len({(result.status, result.message) for result in results}) == 1
    assert len(glific.requests) == 1


def test_a_token_is_renewed_a_minute_before_it_expires(glific: GlificStandIn, resume: Resume) -> None:
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
def test_a_token_with_an_unreadable_expiry_gets_the_default_lifetime(
    glific: GlificStandIn, resume: Resume, expiry: Any
) -> None:
    glific.always_at_login(behaviours.accept_login(token_expiry_time=expiry))
    assert [resume().status for _ in range(2)] == [DeliveryStatus.DELIVERED] * 2
    assert len(set(tokens_used(glific))) == 1


def test_an_expiry_without_a_time_zone_is_in_utc(glific: GlificStandIn, resume: Resume) -> None:
    end = (datetime.now(UTC) + timedelta(minutes=2)).replace(tzinfo=None).isoformat()
    glific.always_at_login(behaviours.accept_login(token_expiry_time=end))
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


def test_no_login_is_sent_before_the_retry_after_has_passed(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, resume: Resume
) -> None:
    glific.will_at_login(behaviours.rate_limit("1"))
    first, second = resume(), resume()
    assert (first.status, second.status) == (DeliveryStatus.TRY_LATER, DeliveryStatus.TRY_LATER)
    assert first.retry_after == 1.0
    assert 0.5 < (second.retry_after or 0) <= 1.0
    with pytest.raises(GlificNotVerified, match="no more logins"):
        client.verify(login, Deadline.after(5))
    assert len(glific.requests) == 1

    time.sleep(second.retry_after or 0)
    assert resume().status is DeliveryStatus.DELIVERED


def test_a_rate_limited_verification_keeps_the_token(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, resume: Resume
) -> None:
    resume()
    glific.will_at_login(behaviours.rate_limit("60"))
    with pytest.raises(GlificNotVerified):
        client.verify(login, Deadline.after(5))
    assert resume().status is DeliveryStatus.DELIVERED


def test_an_expired_token_is_not_used_when_no_new_one_can_be_had(glific: GlificStandIn, resume: Resume) -> None:
    glific.token_seconds = 0.1
    resume()
    glific.always_at_login(behaviours.server_error())
    assert [resume().status for _ in range(2)] == [DeliveryStatus.TRY_LATER] * 2
    assert len(tokens_used(glific)) == 1


def test_accounts_are_rate_limited_separately(glific: GlificStandIn, login: ApiAccess, resume: Resume) -> None:
    glific.accounts["911111111111"] = PASSWORD
    glific.will_at_login(behaviours.rate_limit("60"))
    assert resume().status is DeliveryStatus.TRY_LATER
    assert resume(replace(login, phone="911111111111")).status is DeliveryStatus.DELIVERED


def test_a_rate_limit_without_a_retry_after_lasts_a_minute(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.rate_limit(None))
    assert resume().retry_after == 60.0
    assert resume().status is DeliveryStatus.TRY_LATER
    assert len(glific.requests) == 1


def test_a_refused_login_is_not_repeated_immediately(glific: GlificStandIn, resume: Resume, login: ApiAccess) -> None:
    wrong = replace(login, password=SecretStr("wrong"))
    assert [resume(wrong).status for _ in range(5)] == [DeliveryStatus.REFUSED] * 5
    assert len(glific.logins) == 1
    assert resume().status is DeliveryStatus.DELIVERED


def test_a_refused_test_pauses_no_delivery(
    glific: GlificStandIn, client: GlificClient, resume: Resume, login: ApiAccess
) -> None:
    for _ in range(5):
        client.count_test(1)
    with pytest.raises(GlificNotVerified):
        client.verify(replace(login, password=SecretStr("wrong")), Deadline.after(5))
    assert resume().status is DeliveryStatus.DELIVERED


def test_a_login_that_failed_temporarily_is_repeated_soon(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.server_error(503))
    assert resume().status is DeliveryStatus.TRY_LATER
    time.sleep(0.3)
    assert resume().status is DeliveryStatus.DELIVERED


WRONG_PASSWORD = "does not accept this phone number and password"
NOT_GLIFIC = "does not answer as a Glific API"

LOGINS: dict[str, tuple[Behaviour, DeliveryStatus, str]] = {
    "a wrong password": (behaviours.respond(401), DeliveryStatus.REFUSED, WRONG_PASSWORD),
    "suspended": (behaviours.respond(403), DeliveryStatus.REFUSED, "has suspended"),
    "not found": (behaviours.respond(404), DeliveryStatus.REFUSED, NOT_GLIFIC),
    "another refusal": (behaviours.respond(422), DeliveryStatus.REFUSED, NOT_GLIFIC),
    "a time-out of its own": (behaviours.respond(408), DeliveryStatus.TRY_LATER, "internal error"),
    "a failure": (behaviours.server_error(), DeliveryStatus.TRY_LATER, "internal error"),
    "a redirect": (behaviours.redirect("http://127.0.0.1:9/"), DeliveryStatus.REFUSED, "redirects to another address"),
    "a page": (behaviours.send_html(), DeliveryStatus.TRY_LATER, NOT_GLIFIC),
    "nothing": (behaviours.send_empty_body(), DeliveryStatus.TRY_LATER, NOT_GLIFIC),
    "without end": (behaviours.send_huge_body(), DeliveryStatus.TRY_LATER, NOT_GLIFIC),
    "half a body": (behaviours.truncate_body(), DeliveryStatus.TRY_LATER, "connection to Glific was lost"),
    "hanging up": (behaviours.close_connection(), DeliveryStatus.TRY_LATER, "connection to Glific was lost"),
} | {
    f"shape {number}": (behaviours.respond(200, shape), DeliveryStatus.TRY_LATER, NOT_GLIFIC)
    for number, shape in enumerate(behaviours.WRONG_SHAPES)
}

Verify = Callable[[], None]


@pytest.mark.parametrize("fault", LOGINS)
def test_a_failed_login_returns_the_reason_and_its_status(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    behaviour, status, message = LOGINS[fault]
    glific.always_at_login(behaviour)
    result = resume()
    assert (result.status, result.possibly_delivered) == (status, False)
    assert message in result.message


@pytest.mark.parametrize("fault", LOGINS)
def test_a_failed_login_fails_the_verification(
    glific: GlificStandIn, client: GlificClient, login: ApiAccess, fault: str
) -> None:
    behaviour, status, message = LOGINS[fault]
    glific.always_at_login(behaviour)
    with pytest.raises(GlificNotVerified, match=message) as caught:
        client.verify(login, Deadline.after(5))
    assert caught.value.status == (422 if status is DeliveryStatus.REFUSED else 502)


@pytest.mark.parametrize(
    "silence", [behaviours.never_respond(), behaviours.send_slowly(0.2, "head"), behaviours.send_slowly(0.2, "body")]
)
def test_a_login_ends_at_the_deadline(glific: GlificStandIn, resume: Resume, silence: Behaviour) -> None:
    glific.always_at_login(silence)
    start = time.monotonic()
    result = resume(seconds=0.5)
    assert time.monotonic() - start < 5
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)


def test_a_thread_that_waits_for_a_login_ends_at_its_own_deadline(glific: GlificStandIn, resume: Resume) -> None:
    glific.always_at_login(behaviours.never_respond())
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(resume, seconds=60)
        while not glific.requests:
            time.sleep(0.01)
        result = resume(seconds=0.3)
        assert not long.done()
        assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)
        assert len(glific.requests) == 1
        glific.reset()  # ends the login
        assert long.result().status is DeliveryStatus.TRY_LATER
