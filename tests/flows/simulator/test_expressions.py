"""Variables and code in texts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.simulator.expressions import INVALID_CODE, evaluate_code, fill_variables, fill_variables_in_json


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("no code ", "no code"),
        ("<%= 0 + 1 %>", "1"),
        ("<%=1+2*3-4%>", "3"),
        ("<%= (1 + 2) * -3 %>", "-9"),
        ("<%= div(-7, 2) %> <%= rem(-7, 2) %>", "-3 -1"),
        ("<%= 007 + 1 %>", "8"),
        ("<%= 2 > 1 %> <%= 2 === 1 %>", "true false"),
        ("a<%# remark %>b<% 1 %>c", "abc"),
    ],
)
def test_integer_arithmetic_is_evaluated(content: str, text: str) -> None:
    evaluation = evaluate_code(content)
    assert (evaluation.text, evaluation.is_valid) == (text, True)


@pytest.mark.parametrize(
    "content",
    [
        "<%= @results.n + 1 %>",
        "<%=  + %>",
        "<%= five + 1 %>",
        "<%= Invalid Code + 1 %>",
        "<%= rem(1, 0) %>",
        "<%= (1 < 2) + 1 %>",
        "<%= __import__('os') %>",
        "<%= 9 ** 9 ** 9 %>",
        f"<%= {'9 * ' * 40}9 %> <%= {'(' * 90}1{')' * 90} %> <%= {'-' * 300}1 %>",
        "<%= 1",
        "1 <% 2",
    ],
)
def test_all_other_code_is_invalid(content: str) -> None:
    evaluation = evaluate_code(content)
    assert (evaluation.text, evaluation.is_valid) == (INVALID_CODE, False)


def test_access_to_the_server_is_suspicious_code() -> None:
    assert evaluate_code('<%= File.read("/etc/passwd") %>').text.startswith("Suspicious Code.")


@given(st.text(alphabet="0123456789+-*()<>=! ,divrem%", max_size=40))
def test_any_code_evaluates_to_text(code: str) -> None:
    assert isinstance(evaluate_code(f"<%= {code} %>").text, str)


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
        ("@results.z_10", "short_10"),
        ("@results.gpt.parsed_msg.Please", "Salt..Please"),
        ("@results.nested.input", "it is Asha"),
    ],
)
def test_variables_have_the_pitfalls_of_glific(template: str, filled: str) -> None:
    """The lost dot; the dash as part of the name; names with a common prefix; variables in replies."""
    assert fill_variables(template, BINDINGS) == filled


def test_keys_and_strings_at_every_depth_are_filled() -> None:
    template = {"@contact.name": [{"a": "@flow.id"}, 1, None, True]}
    assert fill_variables_in_json(template, BINDINGS) == {"Asha": [{"a": "5"}, 1, None, True]}


def test_a_text_that_grows_without_limit_is_a_problem() -> None:
    long = {"results": {"x": {"input": "y" * 100_000, "value": "y" * 100_000}}}
    with pytest.raises(FlowStuck, match="131,072"):
        fill_variables("@results.x @results.x.input " * 20, long)
