"""Failures of OpenAI: the right error code in time, without any text of OpenAI."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.conftest import StartServer
from tests.support import openai_behaviours as behaviours
from tests.support.openai_exchange import Behaviour, Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DEADLINE_SECONDS = 0.8
SLACK_SECONDS = 4.0
"""Extra time for a busy machine."""


@dataclass
class Fault:
    """A behaviour of OpenAI, with the expected error code and number of requests."""

    behaviour: Behaviour
    code: str
    requests: tuple[int, ...] = (1,)
    max_seconds: float = DEADLINE_SECONDS + SLACK_SECONDS
    responses_api_code: str = ""
    """The expected code of the Responses API, if it differs."""


FAULTS = {
    "a wrong key": Fault(behaviours.refuse_key(), "invalid_api_key"),
    "missing scopes": Fault(behaviours.missing_scopes(), "invalid_api_key"),
    "no permission for the model": Fault(behaviours.no_permission(), "model_not_found"),
    "no credit": Fault(behaviours.out_of_credit(), "insufficient_quota"),
    "an unknown model": Fault(behaviours.unknown_model(), "model_not_found"),
    "not a chat model": Fault(behaviours.not_a_chat_model(), "model_not_supported"),
    "too long": Fault(behaviours.too_long(), "invalid_field"),
    "a bad schema": Fault(behaviours.bad_schema(), "invalid_field"),
    "400": Fault(behaviours.server_error(400), "upstream_error"),
    "418": Fault(behaviours.server_error(418), "bad_upstream_reply"),
    "403 as a page": Fault(behaviours.send_html(403), "upstream_error"),
    "404 as a page": Fault(behaviours.send_html(404), "upstream_error"),
    "a page": Fault(behaviours.send_html(200), "bad_upstream_reply"),
    "nothing": Fault(behaviours.send_empty_body(), "bad_upstream_reply"),
    "no choices": Fault(behaviours.no_choices(), "bad_upstream_reply", responses_api_code="empty_answer"),
    "half a body": Fault(behaviours.truncate_body(), "bad_upstream_reply"),
    "half a body, then silence": Fault(behaviours.truncate_body("hang"), "deadline_exceeded"),
    "silence": Fault(behaviours.never_respond(), "deadline_exceeded"),
    "a late answer": Fault(behaviours.respond_after(DEADLINE_SECONDS + 1), "deadline_exceeded"),
    "a late answer after a failure": Fault(behaviours.respond_after(0.4, behaviours.server_error()), "upstream_error"),
    "a dripping head": Fault(behaviours.send_slowly(0.1, "head"), "deadline_exceeded"),
    "a dripping body": Fault(behaviours.send_slowly(0.1, "body"), "deadline_exceeded"),
    "an empty answer": Fault(behaviours.empty(), "empty_answer"),
    "no answer": Fault(behaviours.empty(None), "empty_answer"),
    "a blank answer": Fault(behaviours.empty(" \n\t"), "empty_answer"),
    "an invisible answer": Fault(behaviours.empty("\u200b\u2060"), "empty_answer"),
    "a refusal": Fault(behaviours.refusal(), "refused"),
    "a content filter": Fault(behaviours.content_filter_stop(), "refused"),
} | {
    f"shape {number}": Fault(behaviours.wrong_shape(shape), "bad_upstream_reply")
    for number, shape in enumerate(behaviours.WRONG_SHAPES)
}


@pytest.fixture
def alice_with_short_deadline(start_server: StartServer) -> TestOrganization:
    return start_server(deadline_seconds=DEADLINE_SECONDS).add_organization("alice")


GLIFIC_TIMEOUT_SECONDS = 5
"""The time that Glific waits for a reply."""
DEFAULT_DEADLINE_SECONDS = 4.5

RETRIED_FAULTS = {
    "a rate limit": Fault(behaviours.rate_limit(None), "rate_limited", (3,), GLIFIC_TIMEOUT_SECONDS),
    "500": Fault(behaviours.server_error(500), "upstream_error", (3,), GLIFIC_TIMEOUT_SECONDS),
    "502": Fault(behaviours.send_html(502), "upstream_error", (3,), GLIFIC_TIMEOUT_SECONDS),
    "503": Fault(behaviours.server_error(503), "upstream_error", (3,), GLIFIC_TIMEOUT_SECONDS),
    "504": Fault(behaviours.server_error(504), "upstream_error", (3,), GLIFIC_TIMEOUT_SECONDS),
    "529": Fault(behaviours.server_error(529), "upstream_error", (3,), GLIFIC_TIMEOUT_SECONDS),
    # Each of the three attempts is sent once more if its connection was reused, as those of concurrent calls can be.
    "a hang-up": Fault(behaviours.close_connection(), "upstream_error", (3, 4, 5, 6), GLIFIC_TIMEOUT_SECONDS),
    "silence": Fault(behaviours.never_respond(), "deadline_exceeded", (1,), GLIFIC_TIMEOUT_SECONDS),
    "a drip": Fault(behaviours.send_slowly(0.4), "deadline_exceeded", (1,), GLIFIC_TIMEOUT_SECONDS),
    "slow failures": Fault(
        behaviours.respond_after(1.8, behaviours.server_error()), "upstream_error", (2,), GLIFIC_TIMEOUT_SECONDS
    ),
    "a rate limit of a minute": Fault(behaviours.rate_limit("60"), "rate_limited", (1,), DEFAULT_DEADLINE_SECONDS),
    "a long rate limit": Fault(behaviours.rate_limit("2"), "rate_limited", (2,), GLIFIC_TIMEOUT_SECONDS),
}

OPENAI_DETAILS = (
    "sk-proj",
    "****",
    "openai.com/account",
    "stand-in",
    "stand_in",
    "proj_",
    "org-",
    "req_",
    "v1/",
    "<html",
)
FALLBACK = "Please ask a health worker."
RESPONSES_MODEL = "gpt-5-pro"
"""A model that only the Responses API offers."""


def find_violations(server: RunningServer, openai: OpenAIStandIn, name: str, fault: Fault, model: str) -> list[str]:
    """Let OpenAI fail a call of a new organization. Returns the differences from the expected reply."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{name}-{model}")
    organization = server.add_organization(slug, key=f"sk-proj-{slug}-Wx9Z", fallback_message=FALLBACK)
    openai.for_key(organization.key, fault.behaviour)
    started = time.monotonic()
    reply = organization.ask(gpt_model=model)
    elapsed_seconds = time.monotonic() - started
    code = (fault.responses_api_code if model == RESPONSES_MODEL else "") or fault.code
    if get_code(reply) != code:
        return [f"{name}, {model}: {reply.text}"]
    sentence = require_error(reply, code, FALLBACK)["error"]
    request_count = sum(received.api_key == organization.key for received in openai.requests)
    checks = {
        f"{elapsed_seconds} seconds": elapsed_seconds < fault.max_seconds,
        f"asked {request_count} times": request_count in fault.requests,
        sentence: not any(word in sentence for word in (*OPENAI_DETAILS, "Wx9Z")),
        str(organization.calls()): organization.calls()[0]["error_code"] == code,
    }
    return [f"{name}, {model}: {check}" for check, is_kept in checks.items() if not is_kept]


@pytest.mark.parametrize("model", ["gpt-4o", RESPONSES_MODEL], ids=["chat", "responses"])
def test_an_openai_failure_gives_our_own_error_in_time(
    start_server: StartServer, openai: OpenAIStandIn, model: str
) -> None:
    server = start_server(deadline_seconds=DEADLINE_SECONDS)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(find_violations, server, openai, *item, model) for item in FAULTS.items()]
        assert [violation for future in futures for violation in future.result()] == []


def test_it_retries_and_answers_before_glific_times_out(server: RunningServer, openai: OpenAIStandIn) -> None:
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(find_violations, server, openai, *item, "gpt-4o") for item in RETRIED_FAULTS.items()]
        assert [violation for future in futures for violation in future.result()] == []


def test_a_transient_failure_is_retried(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for failure in (behaviours.server_error(503), behaviours.close_connection(), behaviours.send_html(502)):
        openai.reset()
        openai.will(failure, failure)
        require_ok(alice.ask())
        assert len(openai.requests) == 3


def rate_limit_until_a_date(exchange: Exchange) -> None:
    """Refuse until two seconds from now. A date has whole seconds, so the wait is between one and two seconds."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    behaviours.rate_limit(date)(exchange)


@pytest.mark.parametrize("limited", [behaviours.rate_limit("1"), rate_limit_until_a_date], ids=["seconds", "a date"])
def test_it_waits_for_a_rate_limit_that_ends_in_time(
    alice: TestOrganization, openai: OpenAIStandIn, limited: Behaviour
) -> None:
    openai.will(limited)
    require_ok(alice.ask())
    first, second = openai.requests
    assert 0.9 < second.at - first.at < 2.5


def test_a_rate_limit_has_a_retry_after_header(
    alice_with_short_deadline: TestOrganization, openai: OpenAIStandIn
) -> None:
    for written, expected in (("60", 60), ("1e300", 86_400), ("0.2", 1), ("soon", 1), ("nan", 1), ("", 1), (None, 1)):
        openai.always(behaviours.rate_limit(written))
        reply = alice_with_short_deadline.ask()
        require_error(reply, "rate_limited")
        assert (written, reply.headers["Retry-After"]) == (written, str(expected))


def test_a_redirect_is_not_followed(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    with OpenAIStandIn() as other_openai:
        openai.always(behaviours.redirect(f"{other_openai.base_url}/chat/completions"))
        require_error(alice.ask(), "bad_upstream_reply")
        assert other_openai.requests == []
    assert len(openai.requests) == 1


def test_an_unreachable_openai_is_an_upstream_error(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    require_ok(alice.ask())
    openai.close()
    started = time.monotonic()
    require_error(alice.ask(), "upstream_error")
    assert time.monotonic() - started < 3


def test_a_connection_that_openai_has_closed_is_reopened(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    require_ok(alice.ask())
    openai.will(behaviours.close_connection())
    require_ok(alice.ask())


def test_failures_of_one_organization_do_not_affect_others(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.for_key(alice.key, behaviours.out_of_credit())
    require_error(alice.ask(), "insufficient_quota")
    require_ok(bob.ask())


def test_tokens_of_a_failed_answer_are_counted(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(behaviours.answer("not JSON", input_tokens=40, output_tokens=3))
    require_error(alice.ask(response_format={"type": "json_object"}), "bad_upstream_reply")
    (call,) = alice.calls()
    assert (call["status"], call["input_tokens"], call["output_tokens"]) == ("error", 40, 3)
    assert call["cost_usd"] > 0
