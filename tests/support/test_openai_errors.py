"""Errors of the OpenAI stand-in, as OpenAI's own library reads them."""

import openai as library
import pytest
from openai import OpenAI

from tests.support import openai_behaviours as behaviours
from tests.support.openai_behaviours import Behaviour
from tests.support.openai_questions import create_chat_completion, create_response
from tests.support.openai_stand_in import OpenAIStandIn


@pytest.mark.parametrize(
    ("behaviour", "status_and_code", "message"),
    [
        (behaviours.refuse_key(), (401, "invalid_api_key"), r"provided: sk-proj-\*+wxyz\. You can find"),
        (behaviours.missing_scopes(), (401, None), "Missing scopes"),
        (behaviours.no_permission(), (403, "model_not_found"), "does not have access to model `gpt-4o`"),
        (behaviours.out_of_credit(), (429, "insufficient_quota"), "exceeded your current quota"),
        (behaviours.rate_limit(), (429, "rate_limit_exceeded"), "Rate limit reached"),
        (behaviours.server_error(503), (503, None), "had an error"),
        (behaviours.unknown_model(), (404, "model_not_found"), "The model `gpt-4o` does not exist"),
        (behaviours.not_a_chat_model(), (404, None), "not a chat model"),
        (behaviours.responses_only(), (404, None), "only supported in v1/responses"),
        (behaviours.too_long(), (400, "context_length_exceeded"), "maximum context length"),
        (behaviours.bad_schema(), (400, None), "Invalid schema for response_format"),
    ],
)
def test_an_error_has_openais_status_code_and_message(
    openai: OpenAIStandIn, client: OpenAI, behaviour: Behaviour, status_and_code: tuple[int, str | None], message: str
) -> None:
    openai.will(behaviour)
    with pytest.raises(library.APIStatusError, match=message) as caught:
        create_chat_completion(client)
    assert (caught.value.status_code, caught.value.code) == status_and_code


def test_a_rate_limit_has_a_retry_after_header_unless_disabled(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.rate_limit("17"), behaviours.rate_limit(None))
    waits = []
    for _ in range(2):
        with pytest.raises(library.RateLimitError) as caught:
            create_chat_completion(client)
        waits.append(caught.value.response.headers.get("retry-after"))
    assert waits == ["17", None]


def test_an_unsupported_parameter_is_refused_until_it_is_omitted(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.always(behaviours.unsupported("temperature", "unsupported_value"))
    with pytest.raises(library.BadRequestError, match=r"does not support 0\.2") as caught:
        create_chat_completion(client, temperature=0.2)
    assert (caught.value.param, caught.value.code) == ("temperature", "unsupported_value")
    assert create_chat_completion(client).choices[0].message.content


def test_a_responses_only_model_answers_in_the_responses_api(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.always(behaviours.responses_only())
    assert create_response(client).output_text == "Hello from the stand-in."
