"""Resuming by signed call: the signature, the body that Glific reads, and the result without a receipt."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import JsonValue, SecretStr

from glific_gpt.glific.resumption import DeliveryStatus, Resumption, SignedAccess
from glific_gpt.glific.signed_call import build_body, sign
from tests.glific.conftest import ANSWER, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import GlificStandIn

ACCESS = SignedAccess("https://api.seva.glific.com", SecretStr("Super Secret"), 1)
AT = 1719400000123456
SIGNATURE = "76114bddd95cc8143bc3296a36eea984bc333d67b7a2166a7b17b52a7c257f1e"


def test_the_signature_is_the_one_that_glific_verifies() -> None:
    assert sign(ACCESS, 5, 21, AT) == SIGNATURE


def test_it_sends_the_body_that_glific_reads() -> None:
    assert build_body(ACCESS, ANSWER, AT) == {
        "success": True,
        "data": {"response": {"output": {"type": "text", "content": {"format": "text", "value": "Drink ORS."}}}},
        "metadata": {
            "organization_id": 1,
            "flow_id": 5,
            "contact_id": 21,
            "timestamp": AT,
            "signature": SIGNATURE,
            "result_name": "gpt_response",
            "success": True,
            "status": "ok",
            "parsed_msg": "Drink ORS.",
            "call_id": "c1",
        },
    }


def test_a_flow_continues_with_the_result(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    result = resume(signed)
    assert (result.status, result.retry_after, result.possibly_delivered) == (DeliveryStatus.DELIVERED, None, False)
    (resumed,) = glific.resumptions
    assert (resumed.way, resumed.delivered, resumed.signature_is_right) == ("signed", True, True)
    assert (resumed.flow_id, resumed.contact_id, resumed.result_name) == (5, 21, "gpt_response")
    assert resumed.result == ANSWER.result
    assert [(sent.path, "authorization" in sent.headers) for sent in glific.requests] == [
        ("/webhook/flow_resume", False)
    ]


def test_the_timestamp_is_the_time_of_sending(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    resume(signed)
    at = glific.requests[0].body["metadata"]["timestamp"]
    assert isinstance(at, int)
    assert abs(at - time.time() * 1_000_000) < 10_000_000


def test_a_wrong_phrase_cannot_be_noticed(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    assert resume(replace(signed, phrase=SecretStr("another"))).status is DeliveryStatus.DELIVERED
    assert [(each.delivered, each.signature_is_right) for each in glific.resumptions] == [(False, False)]


def test_a_failure_is_sent_as_success_so_that_no_conversation_is_stuck() -> None:
    failure = Resumption(5, 21, "gpt_response", {"success": False, "status": "error", "parsed_msg": "Sorry."})
    sent = build_body(ACCESS, failure, AT)
    metadata: Any = sent["metadata"]
    assert sent["success"] is True
    assert (metadata["success"], metadata["status"]) == (False, "error")


def test_keys_of_a_result_cannot_replace_signed_values_or_name_a_webhook_log() -> None:
    forged: dict[str, JsonValue] = {
        "organization_id": 2,
        "flow_id": 6,
        "contact_id": 22,
        "timestamp": 1,
        "signature": "forged",
        "result_name": "forged",
        "webhook_log_id": 3,
        "parsed_msg": "Hello",
    }
    metadata: Any = build_body(ACCESS, replace(ANSWER, result=forged), AT)["metadata"]
    assert metadata == {
        "organization_id": 1,
        "flow_id": 5,
        "contact_id": 21,
        "timestamp": AT,
        "signature": SIGNATURE,
        "result_name": "gpt_response",
        "parsed_msg": "Hello",
    }


@pytest.mark.parametrize(
    ("parsed_msg", "text"),
    [("Hello", "Hello"), ({"नाम": [1, None]}, '{"नाम": [1, null]}'), (7, "7"), (None, "")],
)
def test_the_answer_is_also_sent_as_text(parsed_msg: Any, text: str) -> None:
    sent: Any = build_body(ACCESS, replace(ANSWER, result={"parsed_msg": parsed_msg}), AT)
    assert sent["data"]["response"]["output"]["content"]["value"] == text
    assert json.dumps(sent)


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        (behaviours.respond(200, {"anything": 1}), DeliveryStatus.DELIVERED),
        (behaviours.respond(201), DeliveryStatus.TRY_LATER),
        (behaviours.send_huge_body(), DeliveryStatus.TRY_LATER),
        (behaviours.respond(400), DeliveryStatus.REFUSED),
        (behaviours.respond(401), DeliveryStatus.REFUSED),
        (behaviours.respond(403), DeliveryStatus.REFUSED),
        (behaviours.send_html(404), DeliveryStatus.REFUSED),
        (behaviours.redirect("http://127.0.0.1:9/x"), DeliveryStatus.REFUSED),
        (behaviours.server_error(), DeliveryStatus.TRY_LATER),
        (behaviours.send_html(502), DeliveryStatus.TRY_LATER),
    ],
)
def test_the_result_depends_on_the_status_alone(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess, behaviour: Behaviour, status: DeliveryStatus
) -> None:
    glific.will(behaviour)
    result = resume(signed)
    assert (result.status, result.possibly_delivered) == (status, False)
    assert len(glific.requests) == 1


def test_it_returns_the_retry_after_of_glific(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    glific.will(behaviours.rate_limit("3"))
    result = resume(signed)
    assert (result.status, result.retry_after) == (DeliveryStatus.TRY_LATER, 3.0)


@pytest.mark.parametrize(
    "lost", [behaviours.never_respond(), behaviours.drop_reply(), behaviours.send_slowly(0.2, "head")]
)
def test_a_missing_response_is_possibly_delivered(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess, lost: Behaviour
) -> None:
    glific.will(lost)
    start = time.monotonic()
    result = resume(signed, seconds=0.5)
    assert time.monotonic() - start < 5
    assert (result.status, result.possibly_delivered) == (DeliveryStatus.TRY_LATER, True)
