"""Code in a flow's values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.simulator.eex import INVALID, evaluate


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
def test_what_is_simulated(content: str, text: str) -> None:
    evaluated = evaluate(content)
    assert (evaluated.text, evaluated.is_valid) == (text, True)


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
def test_all_else_is_invalid_code(content: str) -> None:
    evaluated = evaluate(content)
    assert (evaluated.text, evaluated.is_valid) == (INVALID, False)


def test_what_reaches_for_the_server_is_suspicious() -> None:
    assert evaluate('<%= File.read("/etc/passwd") %>').text.startswith("Suspicious Code.")


@given(st.text(alphabet="0123456789+-*()<>=! ,divrem%", max_size=40))
def test_any_code_gives_a_text(code: str) -> None:
    assert isinstance(evaluate(f"<%= {code} %>").text, str)
