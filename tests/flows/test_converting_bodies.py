"""Models and custom values in the bodies of converted nodes."""

import json
from typing import Any

import pytest

from glific_gpt.errors import GlificGptError, ModelNotAllowed, ModelNotText
from glific_gpt.flows.converting import ModelRules, convert, has_convertible_nodes
from tests.flows.exports import Json, action_of, export, flow, question_export, webhook_node
from tests.flows.test_converting import SIGNED, body_of, messages, warnings


@pytest.mark.parametrize(
    ("models", "kept", "warning"),
    [
        ({"gpt_model": "gpt-4o", "model": "gpt-4.1"}, {"gpt_model": "gpt-4o"}, "had two models. gpt_model gpt-4o"),
        ({"gpt_model": "gpt-4.1", "model": "gpt-4.1"}, {"gpt_model": "gpt-4.1", "model": "gpt-4.1"}, None),
        (
            {"gpt_model": "gpt-4.1"},
            {"gpt_model": "gpt-4.1"},
            "and used gpt-4o. This server uses gpt-4.1",
        ),
        ({"gpt_model": "gpt-4o"}, {"gpt_model": "gpt-4o"}, None),
        ({"model": "gpt-4.1"}, {"model": "gpt-4.1"}, None),
        ({}, {}, None),
    ],
)
def test_gpt_model_takes_precedence_over_model(models: Json, kept: Json, warning: str | None) -> None:
    body = json.dumps({"question_text": "@results.q", **models})
    assert {key: value for key, value in body_of(body).items() if "model" in key} == kept
    found = warnings(question_export(body=body))
    assert len(found) == (warning is not None)
    assert warning is None or warning in found[0]


def some_models(model: str) -> GlificGptError | None:
    return {"tts-1": ModelNotText("no"), "o3": ModelNotAllowed("no")}.get(model)


@pytest.mark.parametrize("key", ["gpt_model", "model"])
def test_a_node_with_a_non_text_model_is_not_converted(key: str) -> None:
    exported = question_export(body=json.dumps({"question_text": "x", key: "tts-1"}))
    conversion = convert(exported, SIGNED, models=ModelRules(some_models))
    assert (conversion.export, conversion.changed, conversion.warnings) == (exported, (), ())
    assert messages(conversion.unchanged)[0].startswith("tts-1 is not a text model")
    assert not has_convertible_nodes(exported, models=ModelRules(some_models))


def test_a_model_that_is_not_allowed_causes_a_warning() -> None:
    body = {"question_text": "x", "gpt_model": "o3", "model": "o3"}
    (warning,) = messages(
        convert(question_export(body=json.dumps(body)), SIGNED, models=ModelRules(some_models)).warnings
    )
    assert warning.startswith("o3 is not allowed here, so each call of this node fails")


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_an_empty_model_counts_as_absent(nothing: Any) -> None:
    for models in (
        {"gpt_model": nothing},
        {"gpt_model": nothing, "model": "o1"},
        {"gpt_model": "gpt-4o", "model": nothing},
    ):
        body = {"question_text": "x", **models}
        assert warnings(question_export(body=json.dumps(body))) == []
        assert {key: value for key, value in body_of(json.dumps(body)).items() if "model" in key} == models


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("contact", "Limits for each contact"),
        ("results", "the flow's results"),
        ("flow_id", "Later answers"),
    ],
)
def test_custom_values_are_kept_and_cause_a_warning(key: str, text: str) -> None:
    for own in ("7", None, {"id": 7}, "@contact.id"):
        body = json.dumps({"question_text": "x", key: own})
        assert body_of(body)[key] == own
        (warning,) = warnings(question_export(body=body))
        assert "has its own" in warning
        assert text in warning


SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}


def schema_model(model: str) -> tuple[str, str] | None:
    """Return a replacement for gpt-4, which is also the default."""
    return ("gpt-4", "gpt-4o-2024-08-06") if model in ("", "gpt-4") else None


@pytest.mark.parametrize(
    "models", [{"model": "gpt-4"}, {"gpt_model": "gpt-4"}, {"gpt_model": "gpt-4", "model": "o1"}, {}]
)
def test_a_json_schema_is_asked_of_a_model_that_can_do_it(models: Json) -> None:
    body = json.dumps({"question_text": "@results.q", "response_format": SCHEMA, **models})
    conversion = convert(question_export(body=body), SIGNED, models=ModelRules(schema_model=schema_model))
    (warning,) = messages(conversion.warnings)
    assert warning.startswith("gpt-4 cannot answer by a JSON schema, so the node asks gpt-4o-2024-08-06.")
    (edit,) = conversion.edits
    sent = json.loads(edit.body or "")
    assert {value for key, value in sent.items() if "model" in key} == {"gpt-4o-2024-08-06"}
    assert sent["response_format"] == SCHEMA


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-4o", "response_format": SCHEMA},
        {"model": "gpt-4", "response_format": {"type": "json_object"}},
        {"model": "gpt-4"},
        {"model": "@results.model", "response_format": SCHEMA},
    ],
)
def test_other_models_stay(body: Json) -> None:
    exported = question_export(body=json.dumps({"question_text": "@results.q", **body}))
    conversion = convert(exported, SIGNED, models=ModelRules(schema_model=schema_model))
    assert conversion.warnings == ()
    assert json.loads(conversion.edits[0].body or "")["model"] == body["model"]


def converted_bodies(*bodies: Json) -> list[Json]:
    """Convert a flow whose nodes save their results as r0, r1 and so on, and return the bodies."""
    nodes = [
        webhook_node(f"gpt {at}", None, None, body=json.dumps(body), result_name=f"r{at}")
        for at, body in enumerate(bodies)
    ]
    converted = convert(export(flow("Memory", nodes, "memory")), SIGNED).export
    return [json.loads(action_of(converted, f"gpt {at}")["body"]) for at in range(len(bodies))]


def test_a_node_whose_thread_another_one_continues_begins_it() -> None:
    """Glific's functions always return a thread_id, this server only to a call with one."""
    question = {"question_text": "@results.q"}
    bodies = converted_bodies(question, question | {"thread_id": "@results.r0.thread_id"}, question)
    assert [body.get("thread_id") for body in bodies] == ["", "@results.r0.thread_id", None]


def test_a_node_that_continues_its_own_thread_is_kept() -> None:
    own = {"question_text": "@results.q", "thread_id": "@results.r0.thread_id"}
    assert [body["thread_id"] for body in converted_bodies(own)] == ["@results.r0.thread_id"]
