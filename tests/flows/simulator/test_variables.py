"""Variables in a text, as Glific replaces them."""

from typing import Any

import pytest

from glific_gpt.flows.simulator.event_log import Hung
from glific_gpt.flows.simulator.variables import fill, fill_all

BINDINGS: dict[str, Any] = {
    "contact": {"id": 21, "name": "Asha", "fields": {"age": {"value": "30", "label": "Age"}, "town": "Pune"}},
    "flow": {"id": 5},
    "results": {
        "n": {"input": "3", "value": "3"},
        "question_1": {"input": "What is ORS?", "category": "Other"},
        "gpt": {"parsed_msg": "Salt.", "items": {"0": {"name": "sugar"}}, "sure": True, "score": 0.2, "empty": ""},
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
        ("@results.gpt.sure @results.gpt.score", "true 0.2"),
        ("@results.list.some", "ab"),
    ],
)
def test_a_variable_with_a_value_is_replaced(template: str, filled: str) -> None:
    assert fill(template, BINDINGS) == filled


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
def test_a_variable_without_a_value_stays_as_it_is_written(template: str) -> None:
    assert fill(template, BINDINGS) == template


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Hello @contact.name.", "Hello Asha"),
        ("Hello @contact.name-", "Hello @contact.name-"),
        ("@results.z_10", "short_10"),
        ("@results.gpt.parsed_msg.Please", "Salt..Please"),
        ("@results.nested.input", "it is Asha"),
    ],
)
def test_it_has_the_traps_of_glific(template: str, filled: str) -> None:
    """The lost dot; the dash that belongs to the name; names that begin alike; variables in what people wrote."""
    assert fill(template, BINDINGS) == filled


def test_keys_and_texts_at_every_depth_are_filled() -> None:
    template = {"@contact.name": [{"a": "@flow.id"}, 1, None, True]}
    assert fill_all(template, BINDINGS) == {"Asha": [{"a": "5"}, 1, None, True]}


def test_a_text_that_would_grow_without_end_is_trouble() -> None:
    long = {"results": {"x": {"input": "y" * 100_000, "value": "y" * 100_000}}}
    with pytest.raises(Hung, match="million"):
        fill("@results.x @results.x.input " * 20, long)
