"""Resuming by the documented API: the request, and the result of each of Glific's responses."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.glific.resumption import ApiAccess, DeliveryStatus
from tests.glific.conftest import ANSWER, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import GlificStandIn

WAITING_ERROR = behaviours.not_waiting_error(21)


def test_it_resumes_the_flow_with_the_result(glific: GlificStandIn, resume: Resume) -> None:
    result = resume()
    assert (result.status, result.retry_after, result.possibly_delivered) == (DeliveryStatus.DELIVERED, None, False)
    (resumed,) = glific.resumptions
    assert (resumed.way, resumed.delivered) == ("api", True)
    assert (resumed.flow_id, resumed.contact_id, resumed.result_name) == (5, 21, "gpt_response")
    assert resumed.result == ANSWER.result


def test_it_sends_the_documented_mutation(glific: GlificStandIn, resume: Resume) -> None:
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
def test_every_answer_arrives_unchanged(glific: GlificStandIn, resume: Resume, parsed_msg: Any) -> None:
    resume(resumption=replace(ANSWER, result={"parsed_msg": parsed_msg}))
    assert glific.resumptions[0].result == {"parsed_msg": parsed_msg}


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_an_empty_error_list_of_any_shape_is_a_delivery(glific: GlificStandIn, resume: Resume, nothing: Any) -> None:
    glific.will(behaviours.errors(nothing))
    assert resume().status is DeliveryStatus.DELIVERED


def test_the_flag_success_is_ignored(glific: GlificStandIn, resume: Resume) -> None:
    glific.will(behaviours.respond(200, {"data": {"resumeContactFlow": {"success": False, "errors": None}}}))
    assert resume().status is DeliveryStatus.DELIVERED


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
def test_a_flow_that_does_not_wait_is_recognized_in_every_shape_of_errors(
    glific: GlificStandIn, resume: Resume, errors: Any
) -> None:
    glific.will(behaviours.errors(errors), behaviours.graphql_errors(json.dumps(errors)))
    for _ in range(2):
        result = resume()
        assert result.status is DeliveryStatus.NOT_WAITING
        assert "21" not in result.message


def test_a_flow_that_reaches_its_waiting_node_late_is_resumed_by_a_later_attempt(
    glific: GlificStandIn, resume: Resume
) -> None:
    glific.wait_later(resumes=2)
    assert [resume().status for _ in range(3)] == [
        DeliveryStatus.NOT_WAITING,
        DeliveryStatus.NOT_WAITING,
        DeliveryStatus.DELIVERED,
    ]


PERSONAL = "Asha 919876543210 at /home/glific"

REFUSALS: dict[str, tuple[Behaviour, str]] = {
    "a contact that is not there": (
        behaviours.errors([{"key": "Elixir.Glific.Contacts.Contact", "message": "Resource not found"}]),
        "cannot find the contact or the flow",
    ),
    "another error as a list": (behaviours.errors([{"key": "x", "message": PERSONAL}]), "refused to resume"),
    "another error as an object": (behaviours.errors({"key": "x", "message": PERSONAL}), "refused to resume"),
    "errors without a message": (behaviours.errors([{}]), "refused to resume"),
    "GraphQL's own error": (behaviours.graphql_errors(PERSONAL), "refused to resume"),
    "errors beside a success": (
        behaviours.respond(
            200, {"data": {"resumeContactFlow": {"success": True, "errors": None}}, "errors": [{"message": PERSONAL}]}
        ),
        "refused to resume",
    ),
    "400": (behaviours.respond(400, PERSONAL), "status 400"),
    "403": (behaviours.respond(403, PERSONAL), "status 403"),
    "404": (behaviours.send_html(404), "status 404"),
    "a redirect": (behaviours.redirect("http://127.0.0.1:9/x"), "redirects to another address"),
    "a redirect to no address": (behaviours.redirect("http://[x"), "redirects to another address"),
    "a redirect that keeps the method": (
        behaviours.respond(308, None, location="/api/"),
        "redirects to another address",
    ),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_permanent_failure_is_refused(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    behaviour, message = REFUSALS[fault]
    glific.always(behaviour)
    result = resume()
    assert (result.status, result.retry_after, result.possibly_delivered) == (DeliveryStatus.REFUSED, None, False)
    assert message in result.message
    assert len(glific.requests) == 2


TEMPORARY: dict[str, Behaviour] = {
    "500": behaviours.server_error(),
    "502": behaviours.send_html(502),
    "503": behaviours.server_error(503),
    "408": behaviours.respond(408),
    "a page": behaviours.send_html(),
    "nothing": behaviours.send_empty_body(),
    "201": behaviours.respond(201),
    "too much": behaviours.send_huge_body(),
    "too deep": lambda exchange: exchange.send(200, b"[" * 500_000),
    "no text": lambda exchange: exchange.send(200, b"\xff\xfe\x00"),
    "a number without end": lambda exchange: exchange.send(200, b"9" * 100_000),
} | {f"shape {number}": behaviours.respond(200, shape) for number, shape in enumerate(behaviours.WRONG_SHAPES)}


@pytest.mark.parametrize("fault", TEMPORARY)
def test_a_temporary_failure_is_tried_later(glific: GlificStandIn, resume: Resume, fault: str) -> None:
    glific.will(TEMPORARY[fault])
    result = resume()
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)
    assert resume().status is DeliveryStatus.DELIVERED


DISTANT_DATE = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("1.5", 1.5),
        ("86400", 60.0),
        (DISTANT_DATE, 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_it_returns_the_retry_after_of_glific(
    glific: GlificStandIn, resume: Resume, header: str | None, seconds: float | None
) -> None:
    glific.will(behaviours.rate_limit(header))
    result = resume()
    assert (result.status, result.retry_after) == (DeliveryStatus.TRY_LATER, seconds)


@pytest.mark.parametrize(
    "lost",
    [behaviours.close_connection(), behaviours.drop_reply(), behaviours.truncate_body(), behaviours.truncate_body(500)],
)
def test_a_connection_that_is_lost_after_sending_is_possibly_delivered(
    glific: GlificStandIn, resume: Resume, lost: Behaviour
) -> None:
    glific.will(lost)
    result = resume()
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, True)


@pytest.mark.parametrize(
    "silence", [behaviours.never_respond(), behaviours.send_slowly(0.2, "head"), behaviours.send_slowly(0.2, "body")]
)
def test_a_slow_or_missing_response_ends_at_the_deadline_and_is_possibly_delivered(
    glific: GlificStandIn, resume: Resume, silence: Behaviour
) -> None:
    resume()
    glific.will(silence)
    start = time.monotonic()
    result = resume(seconds=0.5)
    assert time.monotonic() - start < 5
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, True)


def test_login_and_call_share_the_deadline(glific: GlificStandIn, resume: Resume) -> None:
    glific.will_at_login(behaviours.respond_after(0.4))
    glific.will(behaviours.respond_after(0.4))
    assert resume(seconds=0.6).status is DeliveryStatus.TRY_LATER


def test_nothing_is_sent_after_the_deadline(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    result = resume(seconds=0)
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)
    assert len(glific.requests) == 2


def test_an_unreachable_glific_is_tried_later(glific: GlificStandIn, resume: Resume) -> None:
    glific.close()
    result = resume()
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, False)


UNAUTHORIZED = {
    "401": behaviours.respond(401, {"error": {"code": 401}}),
    "unauthorized": behaviours.graphql_errors("Unauthorized"),
    "unauthenticated": behaviours.graphql_errors("unauthenticated"),
    "as errors of the mutation": behaviours.errors({"key": "user", "message": "Unauthorized"}),
}


@pytest.mark.parametrize("response", UNAUTHORIZED)
def test_a_token_that_is_not_accepted_is_replaced_immediately(
    glific: GlificStandIn, resume: Resume, response: str
) -> None:
    resume()
    glific.will(UNAUTHORIZED[response])
    assert resume().status is DeliveryStatus.DELIVERED
    assert len(glific.logins) == 2
    used = [received.headers["authorization"] for received in glific.requests if received.path == "/api"]
    assert used[0] == used[1] != used[2]


def test_it_logs_in_again_when_glific_lost_its_tokens(glific: GlificStandIn, resume: Resume) -> None:
    resume()
    glific.will(behaviours.forget_tokens())
    assert resume().status is DeliveryStatus.DELIVERED
    assert [each.accepted for each in glific.logins] == [True, True]


@pytest.mark.parametrize("response", UNAUTHORIZED)
def test_it_does_not_ask_for_a_third_token(glific: GlificStandIn, resume: Resume, response: str) -> None:
    glific.always(UNAUTHORIZED[response])
    result = resume()
    assert result.status is DeliveryStatus.REFUSED
    assert "manager" in result.message
    assert [received.path for received in glific.requests] == ["/api/v1/session", "/api"] * 2


def test_a_password_that_was_changed_in_glific_is_refused(
    glific: GlificStandIn, resume: Resume, login: ApiAccess
) -> None:
    resume()
    glific.accounts[login.phone] = "changed"
    glific.forget_tokens()
    result = resume()
    assert result.status is DeliveryStatus.REFUSED
    assert "phone number and password" in result.message
    assert resume(replace(login, password=SecretStr("changed"))).status is DeliveryStatus.DELIVERED
