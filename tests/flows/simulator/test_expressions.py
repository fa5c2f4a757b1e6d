"""Variables in texts."""

from typing import Any

import pytest

from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.simulator.expressions import fill_variables, fill_variables_in_json

BINDINGS: dict[str, Any] = {
    "contact": {"id": 21, "name": "Asha", "fields": {"age": {"value": "30", "label": "Age"}, "town": "Pune"}},
    "flow": {"id": 5},
    "results": {
        "n": {"input": "3", "value": "3"},
        "question_1": {"input": "What is ORS?", "category": "Other"},
        "gpt": {
            "parsed_msg": "Salt.",
            "items": {"0": {"name": "sugar"}},
            "sure": True,
            "score": 0.2,
            "large": 1000.0,
            "empty": "",
        },
        "parent": {"q": {"input": "from above"}},
        "child": {"q": {"input": "from below"}},
        "z": {"input": "short"},
        "z_10": {"input": "long"},
        "list": {"some": ["a", "b"]},
        "nested": {"input": "it is @contact.name"},
    },
}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Dear @contact.name, @contact.id", "Dear Asha, 21"),
        ("@contact.fields.age and @contact.fields.age.label, @contact.fields.town", "30 and Age, Pune"),
        ("@flow.id", "5"),
        ("@results.n + @results.n.input", "3 + 3"),
        ("@results.question_1.input = @results.question_1", "What is ORS? = What is ORS?"),
        ("@results.gpt.parsed_msg", "Salt."),
        ("@results.gpt.items.0.name", "sugar"),
        ("@results.gpt.sure @results.gpt.score @results.gpt.large", "true 0.2 1.0e3"),
        ("@results.parent.q and @results.child.q.", "from above and from below"),
        ("@results.list.some", "ab"),
    ],
)
def test_a_variable_with_a_value_is_replaced(template: str, filled: str) -> None:
    assert fill_variables(template, BINDINGS) == filled


@pytest.mark.parametrize(
    "template",
    [
        "@results.gpt",
        "@results.gpt.empty",
        "@results.gpt.nothing",
        "@contact",
        "@calendar.today",
        "asha@example.org",
        "@contact.fields.आयु",
    ],
)
def test_a_variable_without_a_value_stays(template: str) -> None:
    assert fill_variables(template, BINDINGS) == template


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Hello @contact.name.", "Hello Asha"),
        ("Hello @contact.name-", "Hello @contact.name-"),
        ("Write to asha@example.org.", "Write to asha@example.org"),
        ("@results.unknown.", "@results.unknown"),
        ("@results.z_10", "long"),
        ("@results.z_11", "short_11"),
        ("@contact.nameजी", "@contact.nameजी"),
        ("@results.gpt.parsed_msg।", "@results.gpt.parsed_msg।"),
        ("@contact.name’s, @contact.name–, @contact.name😀", "@contact.name’s, @contact.name–, @contact.name😀"),
        ("@contact.name ।", "Asha ।"),
        ("@contact.name\u200b", "@contact.name\u200b"),
        ("@contact.nameש", "Ashaש"),
        ("@results.question_1।", "What is ORS?।"),
        ("@results.n.input।", "3.input।"),
        ("@results.gpt.parsed_msg.Please", "Salt..Please"),
        ("@results.nested.input", "it is Asha"),
    ],
)
def test_variables_have_the_pitfalls_of_glific(template: str, filled: str) -> None:
    """The lost dot; the dash and letters outside ASCII as part of the name; common prefixes; variables in replies."""
    assert fill_variables(template, BINDINGS) == filled


def test_keys_and_strings_at_every_depth_are_filled() -> None:
    template = {"@contact.name": [{"a": "@flow.id"}, 1, None, True]}
    assert fill_variables_in_json(template, BINDINGS) == {"Asha": [{"a": "5"}, 1, None, True]}


def test_a_text_that_grows_without_limit_is_a_problem() -> None:
    long = {"results": {"x": {"input": "y" * 100_000, "value": "y" * 100_000}}}
    with pytest.raises(FlowStuck, match="131,072"):
        fill_variables("@results.x @results.x.input " * 20, long)
