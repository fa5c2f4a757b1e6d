"""Code in texts. The results are those of Elixir 1.14."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.simulator import Conversation, ProblemCode
from glific_gpt.flows.simulator.eex import INVALID_CODE, EvaluationStatus, evaluate_code
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export,
    make_action,
    reply_node,
    send_message,
    set_result,
    split_node,
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("no code ", "no code"),
        ("<%= 0 + 1 %>", "1"),
        ("<%=1+2*3-4%>", "3"),
        ("<%= (1 + 2) * -3 %>", "-9"),
        ("<%= 1_000 + 1 %> <%= 2 - -3 %> <%= + 1 %>", "1001 5 1"),
        ("<%= 7 / 2 %> <%= 4 / 2 %> <%= 0.1 + 0.2 %>", "3.5 2.0 0.30000000000000004"),
        ("<%= 1000 / 1 %> <%= 1200 / 1 %> <%= 120 / 1 %> <%= 1 / 100000 %>", "1.0e3 1.2e3 120.0 1.0e-5"),
        ("<%= div(-7, 2) %> <%= rem(-7, 2) %> <%= abs(-3) %>", "-3 -1 3"),
        ("<%= round(2.5) %> <%= round(-2.5) %> <%= trunc(-2.7) %> <%= max(3, 4.5) %>", "3 -3 -2 4.5"),
        ("<%= 007 + 1 %>", "8"),
        ("<%= 2 > 1 %> <%= 2 === 2.0 %> <%= 2 == 2.0 %>", "true false true"),
        ('<%= 5 > "10" %> <%= "10" > 5 %> <%= nil > 5 %>', "false true true"),
        ('<%= "a" <> "b" %> <%= to_string(5) <> "x" %>', "ab 5x"),
        ("<%= true and 5 %> <%= nil || 7 %> <%= !5 %> <%= not (1 > 2) %>", "5 7 false true"),
        ('<%= if 3 > 2, do: "pass", else: "fail" %>', "pass"),
        ('<%= if(1 > 2, do: "pass") %>', ""),
        ('<%= if (2 > 1) and (3 > 2), do: "x", else: "y" %>', "x"),
        ("<%= if 1 > 2 do 1 else 2 end %>", "2"),
        ('<%= if "हाँ" == "हाँ", do: "ठीक", else: "नहीं" %>', "ठीक"),
        ("<%= (if true, do: 5) + 1 %>", "6"),
        ("<%= unless 1 > 2, do: 9 %>", "9"),
        ("You <%= if 60 >= 60 do %>have passed<% else %>have failed<% end %>.", "You have passed."),
        ("<%= if 1 > 2 do %>a<% else %><%= if 2 > 1 do %>b<% end %><% end %>c", "bc"),
        ("<% if 2 > 1 do %>silent<% end %>x", "x"),
        ("<%= unless 1 > 2 do %>u<% end %>", "u"),
        ("a<%# remark %>b<% 1 %>c<%= %>", "abc"),
        ("<%% 5 %>", "<% 5 %>"),
    ],
)
def test_arithmetic_and_if_are_evaluated(content: str, text: str) -> None:
    evaluation = evaluate_code(content)
    assert (evaluation.text, evaluation.status) == (text, EvaluationStatus.OK)


@pytest.mark.parametrize(
    "content",
    [
        "<%= @results.n + 1 %>",
        "<%=  + %>",
        "<%= five + 1 %>",
        "<%= Invalid Code + 1 %>",
        "<%= rem(1, 0) %>",
        "<%= 1 / 0 %>",
        "<%= rem(7.5, 2) %>",
        "<%= (1 < 2) + 1 %>",
        '<%= "5" + 1 %>',
        "<%= 5 and true %>",
        '<%= 1 <> "a" %>',
        "<%= what's up %>",
        "<%= __import__('os') %>",
        "<%= if yes > 3, do: 1 %>",
        "<%= if true do %>a<% else %><%= x %><% end %>",
        "<%= if true do %>a",
        "<% end %>",
        "<%= if do %>x<% end %>",
        '<%= "a %>',
        "<%= 1",
        "1 <% 2",
        "<%= 1.0e999 %>",
        "<%= 1 + 1.0e999 %>",
        "<%= trunc(1.0e999) %>",
        "<%= 2.0e308 > 1 %>",
        f"<%= {'9' * 400}.5 %>",
        "<%= 1.0e308 * 10 %>",
        "<%= -1.0e308 - 1.0e308 %>",
        "<%= 1.0 / 1.0e-320 %>",
        f"<%= {'9' * 400} + 1.5 %>",
        f"<%= {'9' * 400} / 2 %>",
    ],
)
def test_code_that_fails_in_glific_is_invalid(content: str) -> None:
    evaluation = evaluate_code(content)
    assert (evaluation.text, evaluation.status) == (INVALID_CODE, EvaluationStatus.INVALID)


@pytest.mark.parametrize(
    "content",
    [
        '<%= String.upcase("a") %>',
        "<%= Enum.random([1, 2]) %>",
        "<%= cond do 1 > 2 -> 1 end %>",
        "<%= x = 5 %>",
        "<%= 5 |> rem(3) %>",
        '<%= "#{1 + 1}" %>',
        "<%= 9 ** 9 ** 9 %>",
        f"<%= {'(' * 90}1{')' * 90} %>",
    ],
)
def test_code_that_is_not_simulated_stays(content: str) -> None:
    evaluation = evaluate_code(content)
    assert (evaluation.text, evaluation.status) == (content, EvaluationStatus.UNSUPPORTED)


@pytest.mark.parametrize(
    "content",
    [
        '<%= File.read("/etc/passwd") %>',
        "First, know your Immune System. It protects you.",
        "This is a slow Process. Wait.",
        "Ask the Travel Agent.",
        "You can apply(online).",
    ],
)
def test_suspicious_code_is_replaced_in_ordinary_sentences_too(content: str) -> None:
    evaluation = evaluate_code(content)
    assert evaluation.text == f"Suspicious Code. Please change your code. {content}"
    assert evaluation.status is EvaluationStatus.SUSPICIOUS


@given(st.text(alphabet='0123456789+-*/()<>=!&|"., diveromaxls%#\n', max_size=60))
def test_any_code_evaluates_to_text(code: str) -> None:
    assert isinstance(evaluate_code(f"<%= {code} %>").text, str)


def run(*actions: object, reply: str = "") -> Conversation:
    nodes = (reply_node("ask", "do"), action_node("do", *actions))  # type: ignore[arg-type] # actions are objects
    conversation = simulate(export(*nodes))
    conversation.start()
    conversation.send_text(reply)
    return conversation


SENTENCE = "First, know your Immune System. It protects you."


@pytest.mark.parametrize(
    "store",
    [
        set_result("saved", "@results.answer.input"),
        make_action("set_contact_field", field={"key": "saved", "name": "Saved"}, value="@results.answer.input"),
        make_action("set_contact_name", name="@results.answer.input"),
    ],
)
def test_a_stored_text_with_suspicious_code_is_a_problem(store: object) -> None:
    texts = send_message("@results.saved @contact.fields.saved @contact.name")
    conversation = run(store, texts, reply=SENTENCE)
    assert f"Suspicious Code. Please change your code. {SENTENCE}" in conversation.messages[0]
    problem = conversation.problems[0]
    assert problem.code is ProblemCode.SUSPICIOUS_CODE
    assert '"System."' in problem.says


def test_a_split_on_suspicious_code_is_a_problem() -> None:
    split = split_node("split", {"Yes": None, "Other": None}, ("has_phrase", ["immune"], "Yes"), operand=SENTENCE)
    conversation = simulate(export(split))
    conversation.start()
    assert [problem.code for problem in conversation.problems] == [ProblemCode.SUSPICIOUS_CODE]


def test_a_message_with_suspicious_code_is_sent() -> None:
    conversation = run(send_message("@results.answer.input"), reply=SENTENCE)
    assert (conversation.messages, conversation.problems) == ([SENTENCE], [])


def test_the_simulation_says_that_it_is_not_sure_about_code() -> None:
    conversation = run(set_result("shout", '<%= String.upcase("a") %>'))
    assert conversation.problems == []
    assert "cannot evaluate" in conversation.transcript()
