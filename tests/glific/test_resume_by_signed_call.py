"""Resuming by signed call: the signature, the one shape that leaves no conversation stuck, and no receipt."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from pydantic import JsonValue, SecretStr

from glific_gpt.glific.resume import Reply, Resumption, SignedAccess
from glific_gpt.glific.signed_call import body, sign
from tests.glific.conftest import ANSWER, Resume
from tests.support import glific_behaviours as behaviours
from tests.support.glific_behaviours import Behaviour
from tests.support.glific_stand_in import GlificStandIn

ACCESS = SignedAccess("https://api.seva.glific.com", SecretStr("Super Secret"), 1)
AT = 1719400000123456
SIGNATURE = "76114bddd95cc8143bc3296a36eea984bc333d67b7a2166a7b17b52a7c257f1e"


def test_it_signs_as_glific_checks() -> None:
    assert sign(ACCESS, 5, 21, AT) == SIGNATURE


def test_it_sends_the_body_that_glific_reads() -> None:
    assert body(ACCESS, ANSWER, AT) == {
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


def test_a_flow_goes_on_with_the_result(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    verdict = resume(signed)
    assert (verdict.reply, verdict.retry_after, verdict.may_have_arrived) == (Reply.DELIVERED, None, False)
    (resumed,) = glific.resumptions
    assert (resumed.way, resumed.delivered, resumed.signature_is_right) == ("signed", True, True)
    assert (resumed.flow_id, resumed.contact_id, resumed.result_name) == (5, 21, "gpt_response")
    assert resumed.result == ANSWER.result
    assert [(sent.path, "authorization" in sent.headers) for sent in glific.requests] == [
        ("/webhook/flow_resume", False)
    ]


def test_it_is_signed_at_the_moment_of_sending(glific: GlificStandIn, resume: Resume, signed: SignedAccess) -> None:
    resume(signed)
    at = glific.requests[0].body["metadata"]["timestamp"]
    assert isinstance(at, int)
    assert abs(at - time.time() * 1_000_000) < 10_000_000


def test_a_phrase_that_is_not_glifics_is_not_noticed_by_us(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess
) -> None:
    assert resume(replace(signed, phrase=SecretStr("another"))).reply is Reply.DELIVERED
    assert [(each.delivered, each.signature_is_right) for each in glific.resumptions] == [(False, False)]


def test_a_failure_is_a_success_to_glific_so_that_no_conversation_is_stuck() -> None:
    failure = Resumption(5, 21, "gpt_response", {"success": False, "status": "error", "parsed_msg": "Sorry."})
    sent = body(ACCESS, failure, AT)
    metadata: Any = sent["metadata"]
    assert sent["success"] is True
    assert (metadata["success"], metadata["status"]) == (False, "error")


def test_no_key_of_a_result_can_change_what_is_signed_or_make_it_a_webhook_nodes() -> None:
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
    metadata: Any = body(ACCESS, replace(ANSWER, result=forged), AT)["metadata"]
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
    sent: Any = body(ACCESS, replace(ANSWER, result={"parsed_msg": parsed_msg}), AT)
    assert sent["data"]["response"]["output"]["content"]["value"] == text
    assert json.dumps(sent)


@pytest.mark.parametrize(
    ("behaviour", "reply"),
    [
        (behaviours.says(200, {"anything": 1}), Reply.DELIVERED),
        (behaviours.says(201), Reply.TRY_LATER),
        (behaviours.huge(), Reply.TRY_LATER),
        (behaviours.says(400), Reply.REFUSED),
        (behaviours.says(401), Reply.REFUSED),
        (behaviours.says(403), Reply.REFUSED),
        (behaviours.html(404), Reply.REFUSED),
        (behaviours.redirect("http://127.0.0.1:9/x"), Reply.REFUSED),
        (behaviours.server_error(), Reply.TRY_LATER),
        (behaviours.html(502), Reply.TRY_LATER),
    ],
)
def test_the_status_is_all_that_is_known(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess, behaviour: Behaviour, reply: Reply
) -> None:
    glific.will(behaviour)
    verdict = resume(signed)
    assert (verdict.reply, verdict.may_have_arrived) == (reply, False)
    assert len(glific.requests) == 1


def test_it_passes_on_when_glific_wants_to_be_asked_again(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess
) -> None:
    glific.will(behaviours.rate_limit("3"))
    verdict = resume(signed)
    assert (verdict.reply, verdict.retry_after) == (Reply.TRY_LATER, 3.0)


@pytest.mark.parametrize("lost", [behaviours.never(), behaviours.lose_the_reply(), behaviours.drip(0.1, "head")])
def test_silence_after_sending_may_have_delivered(
    glific: GlificStandIn, resume: Resume, signed: SignedAccess, lost: Behaviour
) -> None:
    glific.will(lost)
    start = time.monotonic()
    verdict = resume(signed, seconds=0.5)
    assert time.monotonic() - start < 0.8
    assert (verdict.reply, verdict.may_have_arrived) == (Reply.TRY_LATER, True)
