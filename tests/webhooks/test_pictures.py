"""The function parse_via_gpt_vision: questions about pictures, from the address to the answer."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, pending_call_id, resumed_result, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Behaviour, answer, json_answer, out_of_credit, refuse_request
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import ERROR_CODES, get_code

PICTURE = "https://media.example.org/field.jpg?signature=c2VjcmV0"
NOT_DOWNLOADED = "url: OpenAI could not download this picture."
TOO_LARGE = "url: this picture is larger than 20 MB."
NOT_A_PICTURE = "url: this is not a picture that OpenAI can read."


def ask(
    organization: TestOrganization, query: str = "", headers: dict[str, str] | None = None, **body: Any
) -> httpx2.Response:
    return organization.post({"url": PICTURE} | body, headers=headers, query=query, function="parse_via_gpt_vision")


def require_refusal(reply: httpx2.Response, code: str, sentence: str) -> None:
    assert (reply.status_code, get_code(reply)) == (ERROR_CODES[code][0], code), reply.text
    assert reply.json()["error"].startswith(sentence), reply.text
    assert reply.json()["response"] == reply.json()["parsed_msg"]


def test_the_answer_stands_under_response_too(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("A **field** of <%= maize %>."))
    body = ask(alice, prompt="What do you see?").json()
    assert body == {
        "success": True,
        "status": "ok",
        "parsed_msg": "A *field* of <\u200b%= maize %>.",
        "response": body["parsed_msg"],
        "model": "gpt-4o",
        "call_id": body["call_id"],
    }


def test_openai_gets_the_prompt_and_the_address_as_they_are(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"plants": 3}))
    assert ask(alice, prompt="What do you see?", max_tokens="50", response_format={"type": "json_object"}).is_success
    assert openai.requests[0].body == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Answer with a JSON object."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What do you see?"},
                    {"type": "image_url", "image_url": {"url": PICTURE, "detail": "high"}},
                ],
            },
        ],
        "max_completion_tokens": 50,
        "response_format": {"type": "json_object"},
        "temperature": 0,
    }


def test_a_model_of_the_responses_api_gets_the_picture_too(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    assert ask(alice, gpt_model="gpt-5-pro").is_success
    assert find_pictures(openai.requests[0]) == [PICTURE]
    assert openai.requests[0].question == "Describe this picture."


def test_json_is_decoded(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"plants": 3, "note": None}))
    body = ask(alice).json()
    assert body["response"] == body["parsed_msg"] == {"plants": 3, "note": "-"}


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"url": None}, "invalid_field", "url: this is required."),
        ({"url": " "}, "invalid_field", "url: this is required."),
        ({"url": ["https://a.org/b.jpg"]}, "invalid_field", "url: this must be a text."),
        ({"url": "http://a.org/b.jpg"}, "invalid_field", "url: the address of a picture must begin with https://."),
        ({"url": "https://10.0.0.1/b.jpg"}, "invalid_field", "url: this address is in a private network."),
        ({"url": "@results.picture_1.input"}, "unresolved_variable", "url: the node reads @results.picture_1.input"),
        ({"prompt": "@results.text"}, "unresolved_variable", "prompt: "),
        ({"prompt": 1}, "invalid_field", "prompt: "),
        ({"gpt_model": "gpt-3.5-turbo"}, "model_not_supported", "gpt-3.5-turbo cannot read pictures."),
        ({"gpt_model": "ft:gpt-4-0613:ngo::1"}, "model_not_supported", "ft:gpt-4-0613:ngo::1 cannot read pictures."),
        ({"gpt_model": "tts-1"}, "model_not_text", "tts-1 is a model for speech."),
    ],
)
def test_a_call_that_cannot_be_answered_is_refused_before_a_token_is_spent(
    alice: TestOrganization, openai: OpenAIStandIn, body: dict[str, Any], code: str, sentence: str
) -> None:
    require_refusal(ask(alice, **body), code, sentence)
    assert openai.requests == []


def test_a_model_that_is_not_allowed_is_reported_before_its_lack_of_pictures(alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o*"])
    assert get_code(ask(alice, gpt_model="gpt-3.5-turbo")) == "model_not_allowed"


@pytest.mark.parametrize(
    ("behaviour", "code", "sentence"),
    [
        (refuse_request(f"Timeout while downloading {PICTURE}.", "invalid_image_url"), "invalid_field", NOT_DOWNLOADED),
        (
            refuse_request(f"Error while downloading {PICTURE}.", "invalid_value", param="url"),
            "invalid_field",
            NOT_DOWNLOADED,
        ),
        (
            refuse_request(f"Failed to download image from {PICTURE}. Image size exceeds the limit.", "invalid_image"),
            "invalid_field",
            TOO_LARGE,
        ),
        (
            refuse_request("You uploaded an unsupported image. Please make sure your image is valid."),
            "invalid_field",
            NOT_A_PICTURE,
        ),
        (
            refuse_request("Invalid content type. image_url is only supported by certain models."),
            "model_not_supported",
            "gpt-4o cannot read pictures.",
        ),
        (out_of_credit(), "insufficient_quota", "OpenAI says that this key's account has no credit left."),
    ],
)
def test_a_refusal_of_openai_says_who_can_do_what(
    alice: TestOrganization, openai: OpenAIStandIn, behaviour: Behaviour, code: str, sentence: str
) -> None:
    openai.always(behaviour)
    reply = ask(alice)
    require_refusal(reply, code, sentence)
    assert "c2VjcmV0" not in reply.text


def test_a_download_that_timed_out_at_openai_is_tried_again(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(refuse_request(f"Timeout while downloading {PICTURE}.", "invalid_image_url"), answer("A field."))
    assert ask(alice).json()["response"] == "A field."
    assert len(openai.requests) == 2


def test_a_budget_sets_the_tokens_of_a_picture_aside(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    # 10,240 tokens of gpt-4o cost 0.0256 dollars.
    alice.change(monthly_budget_usd=Decimal("0.02"))
    assert get_code(ask(alice)) == "budget_exceeded"
    assert openai.requests == []
    alice.change(monthly_budget_usd=Decimal("0.03"))
    openai.always(answer("A field.", input_tokens=1500))
    assert ask(alice).is_success
    # An answer of more tokens would not be paid for, beside the largest picture.
    assert openai.requests[0].body["max_completion_tokens"] <= 440
    assert [call["input_tokens"] for call in alice.calls()] == [1500, None]


def test_a_repeated_call_gets_the_stored_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    first, second = (ask(alice, headers={"Idempotency-Key": "1"}) for _ in range(2))
    assert first.json() == second.json()
    assert len(openai.requests) == 1


@pytest.mark.parametrize("mode", ["async", "auto"])
def test_a_later_answer_resumes_the_flow_with_response(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, mode: str
) -> None:
    server = start_server(with_worker=True, deadline_seconds=0.5)
    alice = create_connected_organization(server, glific)
    openai.always(answer("A field.", after=1))
    call_id = pending_call_id(ask(alice, f"?mode={mode}", contact={"id": 21}, flow_id="5", organization_id=17))
    assert alice.wait_for_delivery(call_id).state == "delivered"
    result = resumed_result(glific, 21)
    assert (result["parsed_msg"], result["response"]) == ("A field.", "A field.")
    assert find_pictures(openai.requests[0]) == [PICTURE]


def test_neither_the_log_nor_the_row_holds_the_address(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(refuse_request(f"Error while downloading {PICTURE}.", "invalid_image_url", param=PICTURE))
    with capture_logs() as logs:
        ask(alice)
        wait_until(lambda: [line for line in logs if line["event"] == "call_finished"])
    [call] = alice.calls()
    assert "media.example.org" not in f"{call}{logs}"


@pytest.mark.parametrize(("model", "key"), [("gpt-4o", "messages"), ("gpt-5-pro", "input")])
def test_memory_keeps_the_texts_of_earlier_turns_and_no_picture(
    alice: TestOrganization, openai: OpenAIStandIn, model: str, key: str
) -> None:
    openai.always(answer("A field of maize."))
    first = ask(alice, thread_id="", prompt="What is this?", gpt_model=model).json()
    second = ask(alice, thread_id=first["thread_id"], prompt="Is it ripe?", gpt_model=model).json()
    assert (first["memory"], second["memory"]) == ("new", "continued")
    *earlier, question = openai.requests[-1].body[key]
    assert [message["content"] for message in earlier] == ["What is this?", "A field of maize."]
    assert question["role"] == "user"
    assert find_pictures(openai.requests[-1]) == [PICTURE]
    assert alice.ask(thread_id=second["thread_id"]).json()["memory"] == "new"
