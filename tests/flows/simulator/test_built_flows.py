"""Five questions to each built flow: it answers or apologises each time, and never gets stuck."""

import time

import pytest
from pydantic import SecretStr

from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.simulator import Conversation, GlificOrganization
from tests.conftest import OpenHouse
from tests.flows.simulator.conversations import simulate
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo
from tests.support.later import connected_ngo
from tests.support.openai_behaviours import Echo, answer, echo, out_of_credit, slow
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.simulated_glific import connect

KEYWORD = "askgpt"
QUESTIONS = ("What is ORS?", "How much salt?", "How much sugar?", "And for a child?", "Thank you, any advice?")
QUICK = 0.2
"""Seconds that the server has for a call in these tests."""
SLOW = QUICK + 0.15
LATER = (Mode.ASYNC, Mode.AUTO)
PHRASE = "a phrase that only Glific knows"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def impatient(open_a_house: OpenHouse, glific: GlificStandIn) -> Ngo:
    """Return an organization on a server with a short deadline, connected to Glific."""
    return connected_ngo(open_a_house(works=True, deadline_seconds=QUICK), glific)


@pytest.fixture
def patient(working_house: House, glific: GlificStandIn) -> Ngo:
    """Return an organization on a server with the usual deadline."""
    return connected_ngo(working_house, glific)


def flow_of(ngo: Ngo, mode: Mode) -> Conversation:
    spec = FlowSpec(mode, "Ask", KEYWORD, WebhookEndpoint(ngo.url, SecretStr(ngo.token)), "gpt-4o-mini")
    return simulate(build_flow(spec))


def five_turns(conversation: Conversation, glific: GlificStandIn) -> list[list[str]]:
    """Ask five questions, and return the flow's messages after each."""
    connect(glific, conversation)
    conversation.start(KEYWORD)
    said = []
    for question in QUESTIONS:
        before = len(conversation.messages)
        conversation.send_text(question)
        assert conversation.wait_until_settled(15), conversation.transcript()
        said.append(conversation.messages[before:])
    assert conversation.problems == [], conversation.transcript()
    assert conversation.waits_for == "reply", conversation.transcript()
    return said


def is_apology(message: str) -> bool:
    return message.startswith("Sorry")


def answered(turns: list[list[str]]) -> list[str]:
    """Return the questions in the echoed answers; each message ends with the flow's own prompt."""
    echoes = [message.split("\n\n")[0] for turn in turns for message in turn if message.startswith("key=")]
    return [Echo.read(echo).question for echo in echoes]


@pytest.mark.parametrize("mode", Mode)
def test_it_answers_five_questions_within_a_minute(
    mode: Mode, patient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(echo())
    conversation, before = flow_of(patient, mode), time.monotonic()
    turns = five_turns(conversation, glific)
    assert time.monotonic() - before < 60
    assert answered(turns) == list(QUESTIONS)
    assert [call.outcome for call in conversation.calls] == ["Success"] * 5
    assert len({call.url for call in conversation.calls}) == 5
    assert len(openai.requests) == 5
    assert len(glific.resumptions) >= (5 if mode is Mode.ASYNC else 0)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("said", ["Please ask a doctor.", "It is a long story. " * 500])
@ON_SQLITE
def test_it_continues_when_the_model_repeats_its_answer(
    mode: Mode, patient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn, said: str
) -> None:
    openai.always(answer(said))
    turns = five_turns(flow_of(patient, mode), glific)
    assert [turn[-1].startswith(said[:19]) for turn in turns] == [True] * 5


@pytest.mark.parametrize("mode", LATER)
def test_it_answers_five_questions_of_a_slow_model_later(
    mode: Mode, impatient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(slow(SLOW, echo()))
    turns = five_turns(flow_of(impatient, mode), glific)
    assert answered(turns) == list(QUESTIONS)
    assert all(turn[0].startswith("One moment") for turn in turns)


@ON_SQLITE
def test_it_apologises_five_times_if_a_slow_model_cannot_answer_later(
    impatient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(slow(SLOW, echo()))
    conversation = flow_of(impatient, Mode.SYNC)
    turns = five_turns(conversation, glific)
    assert all(is_apology(message) for turn in turns for message in turn)
    assert [(call.status, call.outcome) for call in conversation.calls] == [(504, "Failure")] * 5


@pytest.mark.parametrize("mode", Mode)
@ON_SQLITE
def test_it_apologises_five_times_when_the_model_fails(
    mode: Mode, patient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    turns = five_turns(flow_of(patient, mode), glific)
    assert [is_apology(turn[-1]) for turn in turns] == [True] * 5
    assert answered(turns) == []


@pytest.mark.parametrize("mode", LATER)
@ON_SQLITE
def test_it_apologises_five_times_when_a_slow_model_fails_late(
    mode: Mode, impatient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(slow(SLOW, out_of_credit()))
    turns = five_turns(flow_of(impatient, mode), glific)
    assert [is_apology(turn[-1]) for turn in turns] == [True] * 5


@pytest.mark.parametrize("mode", Mode)
@ON_SQLITE
def test_it_recovers_when_only_some_answers_fail(
    mode: Mode, patient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(echo(), out_of_credit(), echo(), out_of_credit(), echo())
    turns = five_turns(flow_of(patient, mode), glific)
    assert answered(turns) == list(QUESTIONS[::2])
    assert [any(map(is_apology, turn)) for turn in turns] == [False, True, False, True, False]


@pytest.mark.parametrize("mode", LATER)
@ON_SQLITE
def test_it_apologises_five_times_when_no_answer_arrives(
    mode: Mode, impatient: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(slow(SLOW))
    conversation = flow_of(impatient, mode)
    conversation.start(KEYWORD)
    for question in QUESTIONS:
        conversation.send_text(question)
        conversation.advance_clock(121)
        assert is_apology(conversation.messages[-1]), conversation.transcript()
    assert conversation.problems == []


@ON_SQLITE
def test_it_answers_later_by_signed_call(working_house: House, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    alice = signed(working_house, glific)
    openai.always(echo())
    endpoint = WebhookEndpoint(alice.url, None)
    flow = build_flow(FlowSpec(Mode.ASYNC, "Ask", KEYWORD, endpoint, "gpt-4o-mini"))
    conversation = simulate(flow, organization=GlificOrganization(17, SecretStr(PHRASE)))
    connect(glific, conversation)
    conversation.start(KEYWORD)
    conversation.send_text(QUESTIONS[0])
    assert conversation.wait_until_settled(15), conversation.transcript()
    assert answered([conversation.messages]) == [QUESTIONS[0]]
    assert [resumed.signature_is_right for resumed in glific.resumptions] == [True]


def signed(house: House, glific: GlificStandIn) -> Ngo:
    """Return an organization that uses the signature for calls and for later answers."""
    glific.phrase = PHRASE
    alice = house.ngo("alice")
    alice.connect_signed(glific, PHRASE)
    return alice
