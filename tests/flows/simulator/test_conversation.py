"""How a conversation begins, goes on and ends."""

from typing import Any

import pytest

from glific_gpt.flows.simulator import Contact, Conversation, TroubleCode
from tests.flows.simulator.building import act, asks, does, export, flow, keeps, says, splits, together


def codes(conversation: Conversation) -> list[TroubleCode]:
    return [trouble.code for trouble in conversation.trouble]


def greeting(**more: Any) -> Any:
    return export(
        does("hello", says("Your name?"), then="name"),
        asks("name", "reply", keep_as="who"),
        does("reply", says("Hello @results.who.input")),
        **more,
    )


def test_a_keyword_starts_its_flow_however_it_is_written() -> None:
    conversation = Conversation(together(*greeting()["flows"], flow(does("b", says("B")), name="B", keyword="bee")))
    conversation.start("Bee!")
    conversation.say("draft:ask")
    assert conversation.messages == ["B", "Your name?"]


def test_without_a_keyword_the_first_flow_starts() -> None:
    conversation = Conversation(greeting())
    assert not conversation.ended
    conversation.start()
    assert (conversation.messages, conversation.waits_for) == (["Your name?"], "reply")


def test_it_starts_at_the_node_that_is_drawn_on_top() -> None:
    export_ = export(does("second", says("second")), does("first", says("first")))
    export_["flows"][0]["definition"]["_ui"]["nodes"] = {
        "second": {"position": {"top": 20, "left": 0}},
        "first": {"position": {"top": 10, "left": 500}},
    }
    conversation = Conversation(export_)
    conversation.start()
    assert conversation.messages == ["first"]


def test_it_answers_and_ends() -> None:
    conversation = Conversation(greeting())
    conversation.start("ask")
    conversation.say("  Asha ")
    assert conversation.messages == ["Your name?", "Hello Asha"]
    assert (conversation.ended, conversation.waits_for, conversation.trouble) == (True, None, [])
    conversation.say("Anybody?")
    assert conversation.messages[2:] == []
    assert conversation.lines[-1].who == "note"


def test_a_keyword_in_the_middle_starts_anew() -> None:
    conversation = Conversation(greeting())
    conversation.start("ask")
    conversation.say("Ask")
    assert conversation.messages == ["Your name?", "Your name?"]


@pytest.mark.parametrize("export_", [{"flows": []}, export(), greeting(_ui={})])
def test_a_flow_that_cannot_start_is_trouble(export_: Any) -> None:
    conversation = Conversation(export_)
    conversation.start()
    assert codes(conversation) == [TroubleCode.HANGS]


def test_a_node_that_is_not_there_is_trouble() -> None:
    conversation = Conversation(export(does("hello", says("Hello"), then="nowhere")))
    conversation.start()
    assert (conversation.hangs, codes(conversation)) == (True, [TroubleCode.HANGS])
    conversation.say("Hello?")
    assert conversation.messages == ["Hello"]


def test_it_splits_on_what_is_stored() -> None:
    conversation = Conversation(
        export(
            does("count", keeps("n", "1"), keeps("n", "<%= @results.n + 1 %>"), then="split"),
            splits("split", {"two": "yes", "Other": None}, ("has_only_text", ["2"], "two"), operand="@results.n"),
            does("yes", says("It is @results.n.input")),
        )
    )
    conversation.start()
    assert conversation.messages == ["It is 2"]


def test_it_splits_by_chance_and_by_contact() -> None:
    conversation = Conversation(
        export(
            splits("chance", {"A": "field", "B": "field"}, type="random"),
            splits("field", {"30": "yes", "Other": None}, ("has_number_eq", ["30"], "30"), operand="@fields.age"),
            does("yes", says("Thirty")),
        ),
        contact=Contact(fields={"age": "30"}),
    )
    conversation.start()
    assert conversation.messages == ["Thirty"]


def test_it_keeps_what_it_changes_about_the_contact_for_the_next_flow() -> None:
    changes = [
        act("set_contact_name", name="Asha Devi"),
        act("set_contact_field", field={"key": "town", "name": "Town"}, value="Pune"),
        act("add_contact_groups", groups=[{"uuid": "1", "name": "Mothers"}, {"uuid": "2", "name": "Others"}]),
        act("remove_contact_groups", groups=[{"uuid": "2", "name": "Others"}]),
    ]
    contact = Contact()
    first, second = (
        flow(does("change", *changes)),
        flow(does("tell", says("@contact.name of @contact.fields.town @contact.groups")), name="B", keyword="b"),
    )
    conversation = Conversation(together(first, second), contact=contact)
    conversation.start("ask")
    conversation.say("b")
    assert conversation.messages == ['Asha Devi of Pune ["Mothers"]']
    assert contact == Contact()


def test_pictures_and_places_are_no_text() -> None:
    kinds: Any = (("has_media", [], "picture"), ("has_location", [], "place"))
    conversation = Conversation(
        export(
            splits("wait", {"picture": "seen", "place": "seen", "Other": None}, *kinds, **WAITS),
            does("seen", says("@results.it.category"), then="wait"),
        )
    )
    conversation.start()
    for send in (conversation.image, conversation.location, conversation.audio):
        send()
    assert conversation.messages == ["media", "location", "media"]
    conversation.say("END")
    assert conversation.ended


def test_it_keeps_what_was_chosen_from_several() -> None:
    kinds: Any = (("has_multiple", ["1,2,3"], "some"),)
    conversation = Conversation(
        export(
            splits("wait", {"some": "told", "Other": None}, *kinds, **WAITS), does("told", says("@results.it.selected"))
        )
    )
    conversation.start()
    conversation.say("3, 1")
    assert conversation.messages == ["13"]


WAITS: dict[str, Any] = {"wait": {"type": "msg"}, "result_name": "it", "operand": "@input.text"}


@pytest.mark.parametrize("word", ["Success", "No Response"])
def test_a_person_who_writes_a_word_of_glifics_own_ends_the_flow(word: str) -> None:
    conversation = Conversation(greeting())
    conversation.start()
    conversation.say(word)
    assert (conversation.ended, codes(conversation)) == (True, [TroubleCode.ABORTED])


def test_code_that_glific_cannot_evaluate_is_trouble() -> None:
    conversation = Conversation(export(does("count", keeps("n", "<%= @results.m + 1 %>"), says("@results.n"))))
    conversation.start()
    assert (conversation.messages, codes(conversation)) == (["Invalid Code"], [TroubleCode.INVALID_CODE])


def test_a_reply_is_code_where_a_flow_evaluates_it() -> None:
    """Text of a person is pasted into the code; it is harmless here."""
    conversation = Conversation(
        export(asks("question", "keep"), does("keep", keeps("n", "<%= @results.answer + 1 %>"), says("@results.n")))
    )
    conversation.start()
    conversation.say("41")
    assert conversation.messages == ["42"]


@pytest.mark.parametrize("kind", ["link_google_sheet", "open_ticket", "call_classifier", "set_contact_profile"])
def test_what_is_not_simulated_goes_on_by_failure_or_default(kind: str) -> None:
    for ways in ({"Success": None, "Failure": "told"}, {"Bye": None, "Other": "told"}):
        node = splits("it", ways, actions=(act(kind),))
        conversation = Conversation(export(node, does("told", says("went on"))))
        conversation.start()
        assert (conversation.messages, conversation.trouble) == (["went on"], [])
        assert "is not simulated" in conversation.transcript()


@pytest.mark.parametrize("kind", ["send_interactive_msg", "send_broadcast", "start_session", "add_input_labels"])
def test_what_is_not_simulated_and_has_no_exits_of_its_own_is_passed_by(kind: str) -> None:
    conversation = Conversation(export(does("it", act(kind), says("went on"))))
    conversation.start()
    assert (conversation.messages, conversation.trouble) == (["went on"], [])


def test_an_action_that_glific_does_not_support_is_trouble() -> None:
    conversation = Conversation(export(does("it", act("send_email", text="a"), says("went on"))))
    conversation.start()
    assert (conversation.messages, conversation.hangs) == ([], True)
