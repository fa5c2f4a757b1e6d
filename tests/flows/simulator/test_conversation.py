"""The start, the course and the end of a conversation."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact, Conversation, ProblemCode
from tests.flows.simulator.conversations import simulate
from tests.flows.simulator.nodes import (
    action_node,
    export,
    export_of,
    flow,
    make_action,
    reply_node,
    send_message,
    set_result,
    split_node,
)


def codes(conversation: Conversation) -> list[ProblemCode]:
    return [problem.code for problem in conversation.problems]


def greeting(**more: Any) -> Any:
    return export(
        action_node("hello", send_message("Your name?"), then="name"),
        reply_node("name", "reply", keep_as="who"),
        action_node("reply", send_message("Hello @results.who.input")),
        **more,
    )


def test_a_keyword_starts_its_flow_in_any_spelling() -> None:
    conversation = simulate(
        export_of(*greeting()["flows"], flow(action_node("b", send_message("B")), name="B", keyword="bee"))
    )
    conversation.start("Bee!")
    conversation.send_text("draft:ask")
    assert conversation.messages == ["B", "Your name?"]


def test_without_a_keyword_the_first_flow_starts() -> None:
    conversation = simulate(greeting())
    assert not conversation.ended
    conversation.start()
    assert (conversation.messages, conversation.waits_for) == (["Your name?"], "reply")


def test_it_starts_at_the_topmost_node() -> None:
    flow_export = export(action_node("second", send_message("second")), action_node("first", send_message("first")))
    flow_export["flows"][0]["definition"]["_ui"]["nodes"] = {
        "second": {"position": {"top": 20, "left": 0}},
        "first": {"position": {"top": 10, "left": 500}},
    }
    conversation = simulate(flow_export)
    conversation.start()
    assert conversation.messages == ["first"]


def test_it_answers_and_ends() -> None:
    conversation = simulate(greeting())
    conversation.start("ask")
    conversation.send_text("  Asha ")
    assert conversation.messages == ["Your name?", "Hello Asha"]
    assert (conversation.ended, conversation.waits_for, conversation.problems) == (True, None, [])
    conversation.send_text("Anybody?")
    assert conversation.messages[2:] == []
    assert conversation.lines[-1].who == "note"


def test_a_keyword_during_a_conversation_restarts_the_flow() -> None:
    conversation = simulate(greeting())
    conversation.start("ask")
    conversation.send_text("Ask")
    assert conversation.messages == ["Your name?", "Your name?"]


@pytest.mark.parametrize("flow_export", [{"flows": []}, export(), greeting(_ui={})])
def test_a_flow_that_cannot_start_is_a_problem(flow_export: Any) -> None:
    conversation = simulate(flow_export)
    conversation.start()
    assert codes(conversation) == [ProblemCode.STUCK]


def test_a_missing_node_is_a_problem() -> None:
    conversation = simulate(export(action_node("hello", send_message("Hello"), then="nowhere")))
    conversation.start()
    assert (conversation.is_stuck, codes(conversation)) == (True, [ProblemCode.STUCK])
    conversation.send_text("Hello?")
    assert conversation.messages == ["Hello"]


def test_it_splits_on_a_result() -> None:
    conversation = simulate(
        export(
            action_node("count", set_result("n", "1"), set_result("n", "<%= @results.n + 1 %>"), then="split"),
            split_node("split", {"two": "yes", "Other": None}, ("has_only_text", ["2"], "two"), operand="@results.n"),
            action_node("yes", send_message("It is @results.n.input")),
        )
    )
    conversation.start()
    assert conversation.messages == ["It is 2"]


def test_it_splits_at_random_and_by_contact_field() -> None:
    conversation = simulate(
        export(
            split_node("chance", {"A": "field", "B": "field"}, type="random"),
            split_node("field", {"30": "yes", "Other": None}, ("has_number_eq", ["30"], "30"), operand="@fields.age"),
            action_node("yes", send_message("Thirty")),
        ),
        contact=Contact(fields={"age": "30"}),
    )
    conversation.start()
    assert conversation.messages == ["Thirty"]


def test_changes_of_the_contact_persist_in_the_next_flow() -> None:
    changes = [
        make_action("set_contact_name", name="Asha Devi"),
        make_action("set_contact_field", field={"key": "town", "name": "Town"}, value="Pune"),
        make_action("add_contact_groups", groups=[{"uuid": "1", "name": "Mothers"}, {"uuid": "2", "name": "Others"}]),
        make_action("remove_contact_groups", groups=[{"uuid": "2", "name": "Others"}]),
    ]
    contact = Contact()
    first, second = (
        flow(action_node("change", *changes)),
        flow(
            action_node("tell", send_message("@contact.name of @contact.fields.town @contact.groups")),
            name="B",
            keyword="b",
        ),
    )
    conversation = simulate(export_of(first, second), contact=contact)
    conversation.start("ask")
    conversation.send_text("b")
    assert conversation.messages == ['Asha Devi of Pune ["Mothers"]']
    assert contact == Contact()


def test_media_and_locations_are_not_text() -> None:
    kinds: Any = (("has_media", [], "picture"), ("has_location", [], "place"))
    conversation = simulate(
        export(
            split_node("wait", {"picture": "seen", "place": "seen", "Other": None}, *kinds, **WAITS),
            action_node("seen", send_message("@results.it.category"), then="wait"),
        )
    )
    conversation.start()
    for send in (conversation.send_image, conversation.send_location, conversation.send_audio):
        send()
    assert conversation.messages == ["media", "location", "media"]
    conversation.send_text("END")
    assert conversation.ended


def test_a_multiple_choice_is_stored() -> None:
    kinds: Any = (("has_multiple", ["1,2,3"], "some"),)
    conversation = simulate(
        export(
            split_node("wait", {"some": "told", "Other": None}, *kinds, **WAITS),
            action_node("told", send_message("@results.it.selected")),
        )
    )
    conversation.start()
    conversation.send_text("3, 1")
    assert conversation.messages == ["13"]


WAITS: dict[str, Any] = {"wait": {"type": "msg"}, "result_name": "it", "operand": "@input.text"}


@pytest.mark.parametrize("word", ["Success", "No Response"])
def test_a_reply_with_a_reserved_word_ends_the_flow(word: str) -> None:
    conversation = simulate(greeting())
    conversation.start()
    conversation.send_text(word)
    assert (conversation.ended, codes(conversation)) == (True, [ProblemCode.ABORTED])


def test_invalid_code_is_a_problem() -> None:
    conversation = simulate(
        export(action_node("count", set_result("n", "<%= @results.m + 1 %>"), send_message("@results.n")))
    )
    conversation.start()
    assert (conversation.messages, codes(conversation)) == (["Invalid Code"], [ProblemCode.INVALID_CODE])


def test_a_reply_can_become_code() -> None:
    """Glific inserts the text of a contact into code; the simulator only evaluates arithmetic."""
    conversation = simulate(
        export(
            reply_node("question", "keep"),
            action_node("keep", set_result("n", "<%= @results.answer + 1 %>"), send_message("@results.n")),
        )
    )
    conversation.start()
    conversation.send_text("41")
    assert conversation.messages == ["42"]


@pytest.mark.parametrize("kind", ["link_google_sheet", "open_ticket", "call_classifier", "set_contact_profile"])
def test_an_unsimulated_action_with_a_router_follows_failure_or_default(kind: str) -> None:
    for ways in ({"Success": None, "Failure": "told"}, {"Bye": None, "Other": "told"}):
        node = split_node("it", ways, actions=(make_action(kind),))
        conversation = simulate(export(node, action_node("told", send_message("went on"))))
        conversation.start()
        assert (conversation.messages, conversation.problems) == (["went on"], [])
        assert "is not simulated" in conversation.transcript()


@pytest.mark.parametrize("kind", ["send_interactive_msg", "send_broadcast", "start_session", "add_input_labels"])
def test_an_unsimulated_action_without_a_router_is_skipped(kind: str) -> None:
    conversation = simulate(export(action_node("it", make_action(kind), send_message("went on"))))
    conversation.start()
    assert (conversation.messages, conversation.problems) == (["went on"], [])


def test_an_unsupported_action_is_a_problem() -> None:
    conversation = simulate(export(action_node("it", make_action("send_email", text="a"), send_message("went on"))))
    conversation.start()
    assert (conversation.messages, conversation.is_stuck) == ([], True)
