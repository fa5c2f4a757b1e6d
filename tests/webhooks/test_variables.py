"""Unresolved variables: the error names the variable and its field, and OpenAI is not asked."""

from typing import Any

import pytest

from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"title": "@results.title.input"}}}


@pytest.mark.parametrize(
    ("body", "field", "variable"),
    [
        ({"question_text": "@results.question_1"}, "question_text", "@results.question_1"),
        ({"question_text": "@results.question_1.input"}, "question_text", "@results.question_1.input"),
        ({"question_text": "@results"}, "question_text", "@results"),
        ({"question_text": " @contact\n"}, "question_text", "@contact"),
        ({"question_text": "Hi, I am @contact.name, and you?"}, "question_text", "@contact.name"),
        ({"question_text": "@Results.Question"}, "question_text", "@Results.Question"),
        ({"prompt": "Speak @contact.fields.language."}, "prompt", "@contact.fields.language"),
        ({"gpt_model": "@results.model"}, "gpt_model", "@results.model"),
        ({"gpt_model": "@global.model"}, "gpt_model", "@global.model"),
        ({"model": "@results.model"}, "model", "@results.model"),
        ({"temperature": "@results.temperature"}, "temperature", "@results.temperature"),
        ({"max_tokens": "@global.max_tokens"}, "max_tokens", "@global.max_tokens"),
        ({"response_format": "@results.format"}, "response_format", "@results.format"),
        ({"response_format": {"type": "@results.type"}}, "response_format", "@results.type"),
        ({"response_format": SCHEMA}, "response_format", "@results.title.input"),
        ({"prompt": "@results.a", "question_text": "@results.b"}, "question_text", "@results.b"),
    ],
)
def test_an_unresolved_variable_is_named_with_its_field(
    alice: TestOrganization, openai: OpenAIStandIn, body: dict[str, Any], field: str, variable: str
) -> None:
    reply = alice.post({"question_text": "What is ORS?", **body})

    sentence = require_error(reply, "unresolved_variable")["error"]
    assert sentence.startswith(f"{field}: ")
    assert f"{variable}," in sentence
    assert openai.requests == []


def test_what_people_write_with_an_at_sign_is_asked(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for question in (
        "I follow @global.health. What is ORS?",
        "Is @contact.us a good page?",
        "@staff.picks and @child.care say that ORS helps",
        "Who runs @flow.state and @group.therapy?",
        "@parent.circle\nWhat is ORS?",
    ):
        require_ok(alice.ask(question))
        assert openai.requests[-1].question == question
    asked = len(openai.requests)
    # Authors write these fields, and a value that is nothing but a variable comes from a template.
    require_error(alice.ask(prompt="Follow @global.health."), "unresolved_variable")
    require_error(alice.ask("@global.question"), "unresolved_variable")
    for name in (
        "@contact.fields.age",
        "@results.q.input",
        "@parent.results.x",
        "@calendar.current_date",
        "@flow.name",
    ):
        require_error(alice.ask(f"I have {name} questions."), "unresolved_variable")
    assert len(openai.requests) == asked


def test_an_at_sign_without_a_variable_is_accepted(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for question in (
        "Write to asha@contact.org or asha@results.example.com.",
        "What does @resultsx.a mean?",
        "Who is @asha?",
        "What are @results for?",
        "contact.name, results.x",
        "@ results.x",
        "3 @ contact price",
        "<%= 1 + 1 %>",
    ):
        require_ok(alice.ask(question, prompt=question))
        assert openai.requests[-1].question == question


@pytest.mark.parametrize("text", ["@contact.nameजी, क्या है?", "Dear @contact.name’s mother", "@contact.name😀"])
def test_a_letter_directly_behind_a_variable_is_the_reason(alice: TestOrganization, text: str) -> None:
    reply = alice.post({"question_text": "What is ORS?", "prompt": text})
    assert reply.json()["error_code"] == "unresolved_variable"
    assert "prompt: Glific does not fill @contact.name" in reply.json()["error"]
    assert reply.json()["error"].endswith("Put a blank behind @contact.name in the node.")


OWN = "results.gpt_response.parsed_msg"


@pytest.mark.parametrize(
    ("prompt", "defaults", "sent"),
    [
        (f"Before: @{OWN}", {OWN: "-"}, "Before: -"),
        (f"@{OWN}, and again @{OWN}!", {OWN: "nothing yet"}, "nothing yet, and again nothing yet!"),
        (f"@{OWN}: @contact.name", {OWN: "", "contact.name": "अशा"}, ": अशा"),
        ("Before: Salt.", {OWN: "-"}, "Before: Salt."),
        (f"Before: @{OWN}", {OWN: "the text <%= @x %> \\1"}, "Before: the text <%= @x %> \\1"),
    ],
)
def test_an_unfilled_variable_gets_its_default(
    alice: TestOrganization, openai: OpenAIStandIn, prompt: str, defaults: dict[str, str], sent: str
) -> None:
    require_ok(alice.post({"question_text": "What is ORS?", "prompt": prompt, "defaults": defaults}))
    assert openai.requests[-1].body["messages"][0]["content"] == sent


@pytest.mark.parametrize("defaults", [{f"{OWN}x": "-"}, {"results.gpt_response": "-"}, {}, None, ""])
def test_a_variable_without_a_default_is_still_an_error(alice: TestOrganization, defaults: Any) -> None:
    reply = alice.post({"question_text": "What is ORS?", "prompt": f"@{OWN}", "defaults": defaults})
    require_error(reply, "unresolved_variable")


@pytest.mark.parametrize("defaults", [["x"], "x", {OWN: 5}, {OWN: None}, {str(n): "" for n in range(101)}])
def test_invalid_defaults_are_an_error(alice: TestOrganization, defaults: Any) -> None:
    reply = alice.post({"question_text": "What is ORS?", "defaults": defaults})
    assert require_error(reply, "invalid_field")["error"].startswith("defaults: ")
