"""Models, and what an author has put where Glific's own values go, in the bodies of converted nodes."""

import json
from typing import Any

import pytest

from glific_gpt.errors import GlificGptError, ModelNotAllowed, ModelNotText
from glific_gpt.flows.converting import convert, convertible
from tests.flows.exports import Json, asking
from tests.flows.test_converting import SIGNED, body_of, told, warnings


@pytest.mark.parametrize(
    ("models", "kept", "warning"),
    [
        ({"gpt_model": "gpt-4o", "model": "gpt-4.1"}, {"gpt_model": "gpt-4o"}, "named two models: gpt_model gpt-4o"),
        ({"gpt_model": "gpt-4.1", "model": "gpt-4.1"}, {"gpt_model": "gpt-4.1", "model": "gpt-4.1"}, None),
        (
            {"gpt_model": "gpt-4.1"},
            {"gpt_model": "gpt-4.1"},
            "and asked gpt-4o; this server asks gpt-4.1",
        ),
        ({"gpt_model": "gpt-4o"}, {"gpt_model": "gpt-4o"}, None),
        ({"model": "gpt-4.1"}, {"model": "gpt-4.1"}, None),
        ({}, {}, None),
    ],
)
def test_the_model_that_the_author_meant_is_asked(models: Json, kept: Json, warning: str | None) -> None:
    body = json.dumps({"question_text": "@results.q", **models})
    assert {key: value for key, value in body_of(body).items() if "model" in key} == kept
    found = warnings(asking(body=body))
    assert len(found) == (warning is not None)
    assert warning is None or warning in found[0]


def some_models(model: str) -> GlificGptError | None:
    return {"tts-1": ModelNotText("no"), "o3": ModelNotAllowed("no")}.get(model)


@pytest.mark.parametrize("key", ["gpt_model", "model"])
def test_a_model_that_is_not_for_text_leaves_its_node_to_glific(key: str) -> None:
    whole = asking(body=json.dumps({"question_text": "x", key: "tts-1"}))
    done = convert(whole, SIGNED, refusal=some_models)
    assert (done.export, done.changed, done.warnings) == (whole, (), ())
    assert told(done.left)[0].startswith("This server asks text models alone, and tts-1 is none")
    assert not convertible(whole, refusal=some_models)


def test_a_model_that_is_not_allowed_is_warned_about() -> None:
    body = {"question_text": "x", "gpt_model": "o3", "model": "o3"}
    (warning,) = told(convert(asking(body=json.dumps(body)), SIGNED, refusal=some_models).warnings)
    assert warning.startswith("The node asks o3, which is not allowed here, so each call fails")


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_a_model_that_is_empty_is_none(nothing: Any) -> None:
    for models in (
        {"gpt_model": nothing},
        {"gpt_model": nothing, "model": "o1"},
        {"gpt_model": "gpt-4o", "model": nothing},
    ):
        body = {"question_text": "x", **models}
        assert warnings(asking(body=json.dumps(body))) == []
        assert {key: value for key, value in body_of(json.dumps(body)).items() if "model" in key} == models


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("contact", "limited for each contact"),
        ("results", "what the flow has saved"),
        ("flow_id", "answers come later"),
    ],
)
def test_what_the_author_has_put_in_glifics_place_stays_and_is_warned_about(key: str, says: str) -> None:
    for own in ("7", None, {"id": 7}, "@contact.id"):
        body = json.dumps({"question_text": "x", key: own})
        assert body_of(body)[key] == own
        (warning,) = warnings(asking(body=body))
        assert "of its own, which stay" in warning
        assert says in warning
