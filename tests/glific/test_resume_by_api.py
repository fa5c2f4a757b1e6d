"""Resuming by the documented API: what is sent, and what each of Glific's answers means."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.glific.resume import ApiAccess, Reply
from tests.glific.conftest import ANSWER, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import GlificStandIn

WAITING_ERROR = behaviours.not_waiting(21)


def test_it_resumes_the_flow_with_the_result(glific: GlificStandIn, resume: Resume) -> None:
    verdict = resume()
    assert (verdict.reply, verdict.retry_after, verdict.may_have_arrived) == (Reply.DELIVERED, None, False)
    (resumed,) = glific.resumptions
    assert (resumed.way, resumed.delivered) == ("api", True)
    assert (resumed.flow_id, resumed.contact_id, resumed.result_name) == (5, 21, "gpt_response")
    assert resumed.result == ANSWER.result


def test_it_sends_the_mutation_as_glific_documents_it(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    sent = glific.requests[-1]
    assert (sent.method, sent.path, sent.headers["content-type"]) == ("POST", "/api", "application/json")
    assert " " not in sent.headers["authorization"]
    assert sent.body["query"].startswith(
        "mutation resumeContactFlow($flowId: ID!, $contactId: ID!, $result: Json!) { resumeContactFlow("
    )
    variables = sent.body["variables"]
    assert (variables["flowId"], variables["contactId"]) == ("5", "21")
    assert isinstance(variables["result"], str)
    assert json.loads(variables["result"]) == {"gpt_response": ANSWER.result}


@pytest.mark.parametrize("parsed_msg", ["ओआरएस \U0001f600", '"quotes"\n\\', "\ud83d", {"a": [1, None]}])
def test_any_answer_arrives_as_it_is(glific: GlificStandIn, resume: Resume, parsed_msg: Any) -> None:
    resume(resumption=replace(ANSWER, result={"parsed_msg": parsed_msg}))
    assert glific.resumptions[0].result == {"parsed_msg": parsed_msg}


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_no_errors_are_a_delivery_whatever_their_shape(glific: GlificStandIn, resume: Resume, nothing: Any) -> None:
    glific.will(behaviours.errors(nothing))
    assert resume().reply is Reply.DELIVERED


def test_success_is_not_asked_whether_it_succeeded(glific: GlificStandIn, resume: Resume) -> None:
    glific.will(behaviours.says(200, {"data": {"resumeContactFlow": {"success": False, "errors": None}}}))
    assert resume().reply is Reply.DELIVERED


@pytest.mark.parametrize(
    "errors",
    [
        WAITING_ERROR,
        [WAITING_ERROR],
        [{"key": "x", "message": "something"}, WAITING_ERROR],
        [WAITING_ERROR["message"]],
        WAITING_ERROR["message"].upper(),
        {"message": WAITING_ERROR["message"].upper()},
        {"contact": [WAITING_ERROR["message"]]},
    ],
)
def test_a_flow_that_does_not_wait_is_told_in_every_shape_of_errors(
    glific: GlificStandIn, resume: Resume, errors: Any
) -> None:
    glific.will(behaviours.errors(errors), behaviours.graphql_errors(json.dumps(errors)))
    for _ in range(2):
        verdict = resume()
        assert verdict.reply is Reply.NOT_WAITING
        assert "21" not in verdict.said


def test_a_flow_that_parks_late_is_resumed_in_the_end(glific: GlificStandIn, resume: Resume) -> None:
    glific.parks_late(resumes=2)
    assert [resume().reply for _ in range(3)] == [Reply.NOT_WAITING, Reply.NOT_WAITING, Reply.DELIVERED]


PERSONAL = "Asha 919876543210 at /home/glific"

REFUSALS: dict[str, tuple[Behaviour, str]] = {
    "a contact that is not there": (
        behaviours.errors([{"key": "Elixir.Glific.Contacts.Contact", "message": "Resource not found"}]),
        "does not find the contact or the flow",
    ),
    "another error as a list": (behaviours.errors([{"key": "x", "message": PERSONAL}]), "refused to resume"),
    "another error as an object": (behaviours.errors({"key": "x", "message": PERSONAL}), "refused to resume"),
    "errors without a message": (behaviours.errors([{}]), "refused to resume"),
    "GraphQL's own error": (behaviours.graphql_errors(PERSONAL), "refused to resume"),
    "errors beside a success": (
        behaviours.says(
            200, {"data": {"resumeContactFlow": {"success": True, "errors": None}}, "errors": [{"message": PERSONAL}]}
        ),
        "refused to resume",
    ),
    "400": (behaviours.says(400, PERSONAL), "status 400"),
    "403": (behaviours.says(403, PERSONAL), "status 403"),
    "404": (behaviours.html(404), "status 404"),
    "a redirect": (behaviours.redirect("http://127.0.0.1:9/x"), "leads elsewhere"),
    "a redirect to no address": (behaviours.redirect("http://[x"), "leads elsewhere"),
    "a redirect that keeps the method": (behaviours.says(308, None, location="/api/"), "leads elsewhere"),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_what_will_not_get_better_is_refused(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    behaviour, said = REFUSALS[fault]
    glific.always(behaviour)
    verdict = resume()
    assert (verdict.reply, verdict.retry_after, verdict.may_have_arrived) == (Reply.REFUSED, None, False)
    assert said in verdict.said
    assert len(glific.requests) == 2


PASSING: dict[str, Behaviour] = {
    "500": behaviours.server_error(),
    "502": behaviours.html(502),
    "503": behaviours.server_error(503),
    "408": behaviours.says(408),
    "a page": behaviours.html(),
    "nothing": behaviours.nothing(),
    "201": behaviours.says(201),
    "too much": behaviours.huge(),
    "too deep": lambda exchange: exchange.send(200, b"[" * 500_000),
    "no text": lambda exchange: exchange.send(200, b"\xff\xfe\x00"),
    "a number without end": lambda exchange: exchange.send(200, b"9" * 100_000),
} | {f"shape {number}": behaviours.says(200, shape) for number, shape in enumerate(behaviours.WRONG_SHAPES)}


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_to_be_tried_later(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    glific.will(PASSING[fault])
    verdict = resume()
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)
    assert resume().reply is Reply.DELIVERED


IN_A_LONG_TIME = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        ("86400", 60.0),
        (IN_A_LONG_TIME, 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_it_passes_on_when_glific_wants_to_be_asked_again(
    glific: GlificStandIn, resume: Resume, header: str | None, seconds: float | None
) -> None:
    glific.will(behaviours.rate_limit(header))
    verdict = resume()
    assert (verdict.reply, verdict.retry_after) == (Reply.TRY_LATER, seconds)


@pytest.mark.parametrize(
    "lost",
    [behaviours.hang_up(), behaviours.lose_the_reply(), behaviours.half_a_body(), behaviours.half_a_body(500)],
)
def test_a_connection_that_breaks_after_sending_may_have_delivered(
    glific: GlificStandIn, resume: Resume, lost: Behaviour
) -> None:
    glific.will(lost)
    verdict = resume()
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, True)


@pytest.mark.parametrize("silence", [behaviours.never(), behaviours.drip(0.1, "head"), behaviours.drip(0.1, "body")])
def test_silence_and_drops_end_with_the_deadline_and_may_have_delivered(
    glific: GlificStandIn, resume: Resume, silence: Behaviour
) -> None:
    resume()
    glific.will(silence)
    start = time.monotonic()
    verdict = resume(seconds=0.5)
    assert time.monotonic() - start < 0.8
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, True)


def test_login_and_call_share_the_deadline(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.slow(0.4))
    glific.will(behaviours.slow(0.4))
    start = time.monotonic()
    assert resume(seconds=0.6).reply is Reply.TRY_LATER
    assert time.monotonic() - start < 0.9


def test_nothing_is_sent_after_the_deadline(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    verdict = resume(seconds=0)
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)
    assert len(glific.requests) == 2


def test_a_glific_that_is_down_may_be_back_later(glific: GlificStandIn, resume: Resume) -> None:
    glific.close()
    verdict = resume()
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, False)


UNAUTHORIZED = {
    "401": behaviours.says(401, {"error": {"code": 401}}),
    "unauthorized": behaviours.graphql_errors("Unauthorized"),
    "unauthenticated": behaviours.graphql_errors("unauthenticated"),
    "as errors of the mutation": behaviours.errors({"key": "user", "message": "Unauthorized"}),
}


@pytest.mark.parametrize("said", UNAUTHORIZED)
def test_a_token_that_is_not_accepted_is_replaced_at_once(glific: GlificStandIn, resume: Resume, said: str) -> None:
    resume()
    glific.will(UNAUTHORIZED[said])
    assert resume().reply is Reply.DELIVERED
    assert len(glific.logins) == 2
    used = [received.headers["authorization"] for received in glific.requests if received.path == "/api"]
    assert used[0] == used[1] != used[2]


def test_a_glific_that_forgot_its_tokens_is_logged_in_to_again(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    glific.will(behaviours.forget_tokens())
    assert resume().reply is Reply.DELIVERED
    assert [each.accepted for each in glific.logins] == [True, True]


@pytest.mark.parametrize("said", UNAUTHORIZED)
def test_a_second_token_that_is_not_accepted_is_the_last(glific: GlificStandIn, resume: Resume, said: str) -> None:
    glific.always(UNAUTHORIZED[said])
    verdict = resume()
    assert verdict.reply is Reply.REFUSED
    assert "manager" in verdict.said
    assert [received.path for received in glific.requests] == ["/api/v1/session", "/api"] * 2


def test_a_password_that_was_changed_in_glific_is_refused(
    glific: GlificStandIn, resume: Resume, login: ApiAccess
) -> None:
    resume()
    glific.accounts[login.phone] = "changed"
    glific.forget_tokens()
    verdict = resume()
    assert verdict.reply is Reply.REFUSED
    assert "phone number and password" in verdict.said
    assert resume(replace(login, password=SecretStr("changed"))).reply is Reply.DELIVERED
