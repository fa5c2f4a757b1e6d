"""Successful answers: text and JSON, formatted for WhatsApp and safe for Glific."""

import json
from typing import Any

import pytest

from glific_gpt.flows.suspicious_code import find_suspicious_code
from tests.support.openai_behaviours import answer, json_answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

JSON_OBJECT: dict[str, Any] = {"response_format": {"type": "json_object"}}

FORMATTED = {
    "**Boil** the water.": "*Boil* the water.",
    "# Steps\n\n1. Boil\n2. Cool": "*Steps*\n\n1. Boil\n2. Cool",
    "See [the guide](https://who.int/ors).": "https://who.int/ors",
    "ओआरएस पिएं। 🌾": "ओआरएस पिएं। 🌾",
    "  Salt.  \n\n": "Salt.",
    "Salt\x00 and sugar\x07.": "Salt and sugar.",
}
GLIFIC_EXPRESSIONS = (
    "Hello @contact.name, your code is @results.code.",
    "<%= System.halt() %> and <% 1 %>",
    "@global.secret",
    "x@contact.phone",
    "your Immune System. It fights",
    "reapply(now) :os.cmd RADIO.",
    "@Contact.Name @RESULTS.x",
    "end with <",
    "&lt;%= 1 %&gt;",
    "&#64;results.x",
    "**@**results.x <**%**= 1",
    "Write to asha@contact.org",
)


def require_no_expressions(text: str) -> None:
    assert "<%" not in text
    for root in ("@contact", "@results", "@global"):
        assert root not in text.lower()
    assert not text.endswith(("<", "@"))
    assert find_suspicious_code(text) == []


@pytest.mark.both_databases
def test_it_answers_a_question_with_the_organizations_own_key(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("ORS is a drink of salt, sugar and water."))

    reply = alice.ask("What is ORS?", gpt_model="gpt-4o-mini", prompt="Answer briefly.")

    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert "Content-Encoding" not in reply.headers
    body = reply.json()
    assert set(body) == {"success", "status", "parsed_msg", "model", "call_id"}
    assert (body["success"], body["status"]) == (True, "ok")
    assert body["parsed_msg"] == "ORS is a drink of salt, sugar and water."
    assert body["model"] == "gpt-4o-mini"
    request = openai.requests[-1]
    assert request.api_key == alice.key
    assert request.body is not None
    assert request.body["messages"] == [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "What is ORS?"},
    ]


def test_it_sends_question_and_prompt_unchanged(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for text in ("  ओआरएस\tक्या है? 🌾\n", '"quoted" \\n {"a": 1}', "x" * 100_000):
        require_ok(alice.ask(text, prompt=text))
        assert [message["content"] for message in openai.requests[-1].body["messages"]] == [text, text]


def test_it_formats_an_answer_for_whatsapp(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for content, expected in FORMATTED.items():
        openai.always(answer(content))
        message = require_ok(alice.ask())
        assert expected in message, message
        assert not {"**", "# ", "]("} & {part for part in ("**", "# ", "](") if part in message}


@pytest.mark.parametrize(
    "content",
    ["word " * 5000, "x" * 4097, "🌾" * 4096, "@results.x " * 400, "**b** " * 3000, "```\n" + "code\n" * 2000],
    ids=["words", "one word", "emoji", "variables", "bold", "code"],
)
def test_an_answer_fits_into_one_message(alice: TestOrganization, openai: OpenAIStandIn, content: str) -> None:
    openai.always(answer(content))
    message = require_ok(alice.ask())
    assert 1000 < len(message) <= 4095
    require_no_expressions(message)


@pytest.mark.parametrize("limit", [100, "3900"])
def test_max_characters_limits_an_answer(alice: TestOrganization, openai: OpenAIStandIn, limit: int | str) -> None:
    openai.always(answer("It is a drink. " * 500))
    message = require_ok(alice.ask(max_characters=limit))
    assert int(limit) / 2 <= len(message) <= int(limit)
    assert message.endswith("drink.")


def test_a_truncated_answer_is_returned(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("Boil the water and", finish_reason="length"))
    assert require_ok(alice.ask(max_tokens=5), cut_off=True) == "Boil the water and …"


def test_a_truncated_answer_ends_after_its_last_whole_sentence(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for content, message in (
        ("Boil water. Let it", "Boil water. …"),
        ("Boil water. Let it cool.", "Boil water. Let it cool. …"),
        ("Use 1.5 litres! Then", "Use 1.5 litres! …"),
        ("**Boil** water.\n\nThen *dri", "*Boil* water. …"),
        ("पानी उबालें। फिर", "पानी उबालें। …"),
    ):
        openai.always(answer(content, finish_reason="length"))
        assert require_ok(alice.ask(), cut_off=True) == message
    long = "Boil the water for ten minutes. " * 200
    openai.always(answer(long, finish_reason="length"))
    message = require_ok(alice.ask(max_characters=200), cut_off=True)
    assert message.endswith("minutes. …")
    assert len(message) <= 200
    openai.always(answer("a" * 4080 + "use ``` here.", finish_reason="length"))
    assert len(require_ok(alice.ask(), cut_off=True)) <= 4095


def test_glific_evaluates_nothing_in_an_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for content in GLIFIC_EXPRESSIONS:
        openai.always(answer(content))
        require_no_expressions(require_ok(alice.ask()))


def test_glific_evaluates_nothing_in_json(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(
        json_answer(
            {"list": [*GLIFIC_EXPRESSIONS], "deep": {"deeper": [{"text": text} for text in GLIFIC_EXPRESSIONS]}, "n": 1}
        )
    )
    decoded = require_ok(alice.ask(**JSON_OBJECT))
    texts = [*decoded["list"], *(item["text"] for item in decoded["deep"]["deeper"])]
    assert len(texts) == 2 * len(GLIFIC_EXPRESSIONS)
    for text in texts:
        assert "<%" not in text
        assert "@contact" not in text.lower()
        assert "@results" not in text.lower()
        assert find_suspicious_code(text) == []

    openai.always(json_answer({"@results.x": 1, "<%= 1 %>": 2}))
    for key in require_ok(alice.ask(**JSON_OBJECT)):
        require_no_expressions(key)


@pytest.mark.parametrize(
    "value",
    [
        {"crop": "rice", "days": 90},
        {"c": [], "d": {}, "e": False, "f": 0, "g": 1.5},
        [1, "two", {"three": 3}],
        {"नाम": "आशा 🌾"},
        42,
        True,
        "a text",
    ],
    ids=["object", "empty parts", "list", "unicode", "number", "truth", "text"],
)
def test_it_decodes_any_json_when_the_flow_asked_for_it(
    alice: TestOrganization, openai: OpenAIStandIn, value: Any
) -> None:
    openai.always(json_answer(value))
    assert require_ok(alice.ask("JSON", **JSON_OBJECT)) == value


@pytest.mark.parametrize(
    ("content", "parsed_msg"),
    [
        ('{"intent": "loan", "amount": 500}', {"intent": "loan", "amount": 500}),
        ('  ["a", {"b": [1]}]\n', ["a", {"b": [1]}]),
        ('"yes"', "yes"),
        ('```json\n"**yes**"\n```', "*yes*"),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("```\n[1, 2]\n```", [1, 2]),
        ('~~~JSON\n{"a": {"b": 1}}\n~~~\n', {"a": {"b": 1}}),
        ('<think>{"b": 2}</think>\n{"a": 1}', {"a": 1}),
        (
            '{"crop": null, "season": "", "list": ["", null, " \u200b"]}',
            {"crop": "-", "season": "-", "list": ["-"] * 3},
        ),
        ('{"advice": "Use **ORS** from [WHO](https://who.int)"}', {"advice": "Use *ORS* from WHO (https://who.int)"}),
        ('{"a": {"b": ["# Title", "<b>x</b>【4:0†s】"]}}', {"a": {"b": ["*Title*", "*x*"]}}),
        ('{"a": "@contact.name <% System. %>"}', {"a": "@\u200bcontact.name <\u200b% System\u200b. %>"}),
    ],
)
def test_an_answer_that_is_json_is_decoded_whatever_the_flow_asked_for(
    alice: TestOrganization, openai: OpenAIStandIn, content: str, parsed_msg: Any
) -> None:
    openai.always(answer(content))
    assert require_ok(alice.ask("JSON")) == parsed_msg
    assert require_ok(alice.ask("JSON", **JSON_OBJECT)) == parsed_msg


@pytest.mark.parametrize(
    "content",
    ["42", "true", "null", "-1.5", "[WHO] says", '{"a": 1} is JSON', '{"a": NaN}', "{'a': 1}", '"a" and "b"', "{a}"],
)
def test_other_answers_stay_text(alice: TestOrganization, openai: OpenAIStandIn, content: str) -> None:
    openai.always(answer(content))
    assert require_ok(alice.ask("JSON")) == content


def test_each_text_in_json_is_cut(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"a": "It is a drink. " * 500, "b": ["x" * 5000], "c": "short"}))
    decoded = require_ok(alice.ask("JSON"))
    assert (len(decoded["a"]) <= 4095, decoded["a"].endswith("drink.")) == (True, True)
    assert (len(decoded["b"][0]), decoded["c"]) == (4094, "short")
    decoded = require_ok(alice.ask("JSON", max_characters="100"))
    assert 50 <= len(decoded["a"]) <= 100


def test_a_flow_chooses_what_stands_for_empty_values(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"a": None, "b": "", "c": "x"}))
    for empty_value, expected in {"नहीं पता": "नहीं पता", "": "-", " ": "-", "\u200b": "-", "<%": "<\u200b%"}.items():
        answered = require_ok(alice.ask("JSON", empty_value=empty_value))
        assert answered == {"a": expected, "b": expected, "c": "x"}
    require_error(alice.ask("JSON", empty_value="x" * 101), "invalid_field")
    require_error(alice.ask("JSON", empty_value="@results.other"), "unresolved_variable")


def test_thinking_alone_is_an_empty_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("<think>\nThe person asks"))
    require_error(alice.ask(), "empty_answer")


def test_an_empty_json_answer_is_an_empty_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    empty_values: tuple[Any, ...] = ({}, [], None, "", " ", "\u200b")
    for empty_value in empty_values:
        openai.always(json_answer(empty_value))
        require_error(alice.ask(**JSON_OBJECT), "empty_answer")


def test_an_answer_that_is_not_json_is_a_bad_upstream_reply(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for text in ("Rice.", '{"crop": "ri', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud83c"}', "{'a': 1}", "[" * 100_000):
        openai.always(answer(text))
        reply = alice.ask(**JSON_OBJECT)
        assert (text[:20], get_code(reply)) == (text[:20], "bad_upstream_reply")
        require_error(reply, "bad_upstream_reply")
        assert alice.calls()[0]["error_code"] == "bad_upstream_reply"


def test_the_error_for_truncated_json_mentions_max_tokens(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer('{"crop": "ri', finish_reason="length"))
    assert "max_tokens" in require_error(alice.ask(**JSON_OBJECT), "bad_upstream_reply")["error"]


def test_deeply_nested_json_is_decoded_or_refused(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    codes = set()
    for depth in (3, 150, 250, *range(900, 1000, 5), 5000):
        openai.always(answer("[" * depth + "1" + "]" * depth))
        codes.add(get_code(alice.ask(**JSON_OBJECT)))
    assert codes == {"ok", "bad_upstream_reply"}


def test_every_answer_is_json_in_utf_8(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer('He said "नमस्ते"\n\t\\ \u2028 🌾'))
    reply = alice.ask()
    assert json.loads(reply.content.decode("utf-8"))["parsed_msg"] == require_ok(reply)
    assert "नमस्ते" in require_ok(reply)
