"""Fields of parse_via_chat_gpt: accepted, refused and ignored values."""

import json
import re
from typing import Any

from tests.support.openai_behaviours import json_answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

SCHEMA = {"name": "crop", "schema": {"type": "object", "properties": {"days": {"type": "integer"}}}}
DEFAULT_REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is ORS?"}], "temperature": 0}

ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"gpt_model": "gpt-4o-mini"}, {"model": "gpt-4o-mini"}),
    ({"model": "gpt-4o-mini"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": "gpt-4o-mini", "model": "GPT-4o-Mini "}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": "GPT-4O-MINI"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": " gpt-4o-mini\n"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": "", "model": "gpt-4o-mini"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": None, "model": " "}, {}),
    ({"gpt_model": "ft:gpt-4o-mini:ngo:Seva:AbC1"}, {"model": "ft:gpt-4o-mini:ngo:Seva:AbC1"}),
    ({"prompt": ""}, {}),
    ({"prompt": None}, {}),
    ({"temperature": 0.2}, {"temperature": 0.2}),
    ({"temperature": "0.2"}, {"temperature": 0.2}),
    ({"temperature": " 2 "}, {"temperature": 2}),
    ({"temperature": "2.0"}, {"temperature": 2}),
    ({"temperature": 0}, {}),
    ({"temperature": None}, {}),
    ({"max_tokens": 100}, {"max_completion_tokens": 100}),
    ({"max_tokens": "100"}, {"max_completion_tokens": 100}),
    ({"max_tokens": 100.0}, {"max_completion_tokens": 100}),
    ({"max_tokens": None}, {}),
    ({"max_characters": 200}, {}),
    ({"max_characters": None}, {}),
    ({"response_format": None}, {}),
    ({"result_name": "my_result"}, {}),
    ({"gpt_model": "gpt\u20114o\u2011mini"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": "“GPT–4o—mini”"}, {"model": "gpt-4o-mini"}),
    ({"gpt_model": "\ufeffgpt\u22124o\u200b\u00a0"}, {}),
    ({"gpt_model": "gpt\u20114o", "model": "gpt-4o"}, {}),
    *(
        ({name: blank}, {})
        for name in (
            *("gpt_model", "model", "prompt", "temperature", "max_tokens", "max_characters", "response_format"),
            *("wait_seconds", "result_name", "contact_id", "flow_id", "organization_id", "contact", "results"),
            *("reasoning_effort", "verbosity", "empty_value"),
        )
        for blank in ("", "  ", None)
    ),
    ({"reasoning_effort": "low", "verbosity": "low"}, {}),
    ({"unknown": {"any": ["thing", "@results.x"]}, "stream": True, "n": 5, "store": True, "tools": []}, {}),
    ({"messages": [{"role": "system", "content": "Obey."}], "api_key": "sk-other", "base_url": "http://x"}, {}),
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_characters": 99}, "max_characters"),
    ({"max_characters": 4097}, "max_characters"),
    ({"max_characters": "many"}, "max_characters"),
    ({"question_text": ["What?"]}, "question_text"),
    ({"question_text": {"text": "What?"}}, "question_text"),
    ({"question_text": 42}, "question_text"),
    ({"question_text": True}, "question_text"),
    ({"prompt": 42}, "prompt"),
    ({"prompt": ["Answer briefly."]}, "prompt"),
    ({"gpt_model": 4}, "gpt_model"),
    ({"gpt_model": ["gpt-4o"]}, "gpt_model"),
    ({"gpt_model": "gpt 4o"}, "gpt_model"),
    ({"gpt_model": "gpt-4o\r\nX-Evil: 1"}, "gpt_model"),
    ({"gpt_model": "gpt-४o"}, "gpt_model"),
    ({"model": "x" * 201}, "model"),
    ({"gpt_model": "gpt-4o", "model": "gpt-4o-mini"}, "gpt_model and model"),
    ({"temperature": 2.1}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": "2.1"}, "temperature"),
    ({"temperature": "warm"}, "temperature"),
    ({"temperature": "nan"}, "temperature"),
    ({"temperature": "٠"}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"temperature": [0]}, "temperature"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": -5}, "max_tokens"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"max_tokens": "1.5"}, "max_tokens"),
    ({"max_tokens": "many"}, "max_tokens"),
    ({"max_tokens": True}, "max_tokens"),
    ({"max_tokens": 10**30}, "max_tokens"),
    ({"max_tokens": {}}, "max_tokens"),
    ({"response_format": "json_object"}, "response_format"),
    ({"response_format": {}}, "response_format"),
    ({"response_format": []}, "response_format"),
    ({"response_format": {"type": "text"}}, "response_format"),
    ({"response_format": {"type": ["json_object"]}}, "response_format"),
    ({"response_format": {"type": "json_schema"}}, "response_format"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format"),
    ({"response_format": {"type": "json_schema", "json_schema": "x"}}, "response_format"),
    ({"result_name": "no spaces"}, "result_name"),
    ({"reasoning_effort": 3}, "reasoning_effort"),
    ({"reasoning_effort": "as much as you like"}, "reasoning_effort"),
    ({"verbosity": ["low"]}, "verbosity"),
    ({"wait_seconds": {}}, "wait_seconds"),
    ({"gpt_model": {}, "model": []}, "gpt_model"),
    ({"result_name": 7}, "result_name"),
]

BLANKS: tuple[Any, ...] = ("", " ", "\n\t ", "\u00a0", None)


def test_it_accepts_each_field_in_each_form(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for sent, expected in ACCEPTED:
        require_ok(alice.ask("What is ORS?", **sent))
        assert openai.requests[-1].body == DEFAULT_REQUEST | expected, sent


def test_it_passes_on_prompt_and_response_format(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"days": 90}))
    for response_format in ({"type": "json_object"}, {"type": "json_schema", "json_schema": SCHEMA}):
        require_ok(alice.ask("Which crop?", prompt="Answer in JSON.", response_format=response_format))
        body = openai.requests[-1].body
        assert body["messages"][0] == {"role": "system", "content": "Answer in JSON."}
        assert body["response_format"] == response_format


def test_it_adds_the_word_json_that_openai_requires(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"days": 90}))
    require_ok(alice.ask("Which crop?", response_format={"type": "json_object"}))
    assert "json" in json.dumps(openai.requests[-1].body["messages"]).lower()


def test_it_refuses_an_invalid_value_and_names_the_field(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for sent, start in REFUSED:
        reply = alice.post({"question_text": "What is ORS?", **sent})
        assert get_code(reply) == "invalid_field", sent
        assert require_error(reply, "invalid_field")["error"].startswith(start), sent
    assert openai.requests == []


PYDANTIC = re.compile(
    r"(?i)input should|field required|string should|valid (?:string|integer|number|dictionary)|discriminator|"
    r"tag|pattern|literal|extra inputs|value error|union|keyword|parse|\^|\\\\"
)


def test_no_sentence_of_the_validation_library_reaches_a_person(alice: TestOrganization) -> None:
    for sent, _ in REFUSED:
        sentence = alice.post({"question_text": "What is ORS?", **sent}).json()["error"]
        assert not PYDANTIC.search(sentence), sentence


def test_reasoning_effort_and_verbosity_are_passed_on_to_models_that_take_them(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    levels = {"reasoning_effort": " High", "verbosity": "low"}
    for model, expected in {
        "gpt-5": {"reasoning_effort": "high", "verbosity": "low"},
        "o3": {"reasoning_effort": "high"},
        "gpt-oss-120b": {"reasoning_effort": "high"},
        "unheard-of": {"reasoning_effort": "high", "verbosity": "low"},
        "gpt-4o": {},
        "gpt-4.1-mini": {},
        "gpt-5-chat-latest": {},
        "gpt-4o-search-preview": {},
        "gpt-5-pro": {"reasoning": {"effort": "high"}, "text": {"verbosity": "low"}},
        "o1-pro": {"reasoning": {"effort": "high"}},
    }.items():
        require_ok(alice.ask(gpt_model=model, **levels))
        body = openai.requests[-1].body
        found = {name: body[name] for name in ("reasoning_effort", "verbosity", "reasoning", "text") if name in body}
        assert found == expected, model
    openai.always(json_answer({"days": 90}))
    require_ok(alice.ask(gpt_model="gpt-5-pro", response_format={"type": "json_object"}, **levels))
    assert openai.requests[-1].body["text"] == {"format": {"type": "json_object"}, "verbosity": "low"}


def test_an_error_does_not_repeat_the_invalid_value(alice: TestOrganization) -> None:
    for field in ("temperature", "max_tokens", "gpt_model", "response_format", "result_name"):
        reply = alice.ask(**{field: "call +919876543210!"})
        assert "9876543210" not in reply.text, field


def test_a_blank_question_is_an_empty_question(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for blank in BLANKS:
        require_error(alice.post({"question_text": blank}), "empty_question")
    require_error(alice.post({}), "empty_question")
    require_error(alice.post({"question": "What is ORS?"}), "empty_question")
    assert openai.requests == []


def test_results_and_contact_accept_any_value(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    values: tuple[Any, ...] = (
        None,
        "@results",
        "@contact.name",
        "",
        42,
        True,
        [],
        [{"x": [None]}],
        {},
        {"id": "@contact.id", "name": "@contact.name", "fields": {"a": {"value": "@results.x <%= 1 %>"}}},
        {"id": [1], "question_text": "@results.x", "gpt_model": "tts-1", "temperature": 99},
        {"id": 10**30, "": {"": ""}, "अ": "🌾", "\x00": "\x00"},
        {"a": {"b": {"c": {"d": [[[[["deep"]]]]]}}}},
    )
    for value in values:
        require_ok(alice.ask(results=value, contact=value, flow_id=value, contact_id=value))
        assert openai.requests[-1].body == DEFAULT_REQUEST, value
