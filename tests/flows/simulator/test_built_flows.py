"""Five questions to each built flow: it answers or apologises each time, and never gets stuck."""

import time

import pytest
from pydantic import SecretStr

from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.simulator import Conversation, GlificOrganization
from tests.conftest import StartServer
from tests.flows.simulator.conversations import simulate
from tests.support.deferred import create_connected_organization
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Echo, answer, echo, out_of_credit, respond_after
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.simulated_glific import connect_conversations

KEYWORD = "askgpt"
QUESTIONS = ("What is ORS?", "How much salt?", "How much sugar?", "And for a child?", "Thank you, any advice?")
SHORT_DEADLINE_SECONDS = 0.2
"""Seconds that the server has for a call in these tests."""
SLOW_ANSWER_SECONDS = SHORT_DEADLINE_SECONDS + 0.15
LATER = (Mode.ASYNC, Mode.AUTO)
PHRASE = "a phrase that only Glific knows"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ngo_with_short_deadline(start_server: StartServer, glific: GlificStandIn) -> TestOrganization:
    """Return an organization on a server with a short deadline, connected to Glific."""
    return create_connected_organization(
        start_server(with_worker=True, deadline_seconds=SHORT_DEADLINE_SECONDS), glific
    )


@pytest.fixture
def organization(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Return an organization on a server with the usual deadline."""
    return create_connected_organization(server_with_worker, glific)


def flow_of(organization: TestOrganization, mode: Mode, *, has_memory: bool = False) -> Conversation:
    endpoint = WebhookEndpoint(organization.url, SecretStr(organization.token))
    spec = FlowSpec(mode, "Ask", KEYWORD, endpoint, "gpt-4o-mini", has_memory=has_memory)
    return simulate(build_flow(spec))


def ask_five_questions(conversation: Conversation, glific: GlificStandIn) -> list[list[str]]:
    """Ask five questions, and return the flow's messages after each."""
    connect_conversations(glific, conversation)
    conversation.start(KEYWORD)
    replies = []
    for question in QUESTIONS:
        before = len(conversation.messages)
        conversation.send_text(question)
        assert conversation.wait_until_settled(15), conversation.transcript()
        replies.append(conversation.messages[before:])
    assert conversation.problems == [], conversation.transcript()
    assert conversation.waits_for == "reply", conversation.transcript()
    return replies


def is_apology(message: str) -> bool:
    return message.startswith("Sorry")


def echoed_questions(replies: list[list[str]]) -> list[str]:
    """Return the questions in the echoed answers; each message ends with the flow's own prompt."""
    echoes = [message.split("\n\n")[0] for messages in replies for message in messages if message.startswith("key=")]
    return [Echo.read(echo).question for echo in echoes]


@pytest.mark.parametrize("mode", Mode)
def test_it_answers_five_questions_within_a_minute(
    mode: Mode, organization: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(echo())
    conversation, before = flow_of(organization, mode), time.monotonic()
    replies = ask_five_questions(conversation, glific)
    assert time.monotonic() - before < 60
    assert echoed_questions(replies) == list(QUESTIONS)
    assert [call.outcome for call in conversation.calls] == ["Success"] * 5
    assert len({call.url for call in conversation.calls}) == 5
    assert len(openai.requests) == 5
    assert len(glific.resumptions) >= (5 if mode is Mode.ASYNC else 0)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("text", ["Please ask a doctor.", "It is a long story. " * 500])
@ON_SQLITE
def test_it_continues_when_the_model_repeats_its_answer(
    mode: Mode, organization: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn, text: str
) -> None:
    openai.always(answer(text))
    replies = ask_five_questions(flow_of(organization, mode), glific)
    assert [messages[-1].startswith(text[:19]) for messages in replies] == [True] * 5


@pytest.mark.parametrize("mode", LATER)
def test_it_answers_five_questions_of_a_slow_model_later(
    mode: Mode, ngo_with_short_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(respond_after(SLOW_ANSWER_SECONDS, echo()))
    replies = ask_five_questions(flow_of(ngo_with_short_deadline, mode), glific)
    assert echoed_questions(replies) == list(QUESTIONS)
    assert all(messages[0].startswith("One moment") for messages in replies)


@ON_SQLITE
def test_it_apologises_five_times_if_a_slow_model_cannot_answer_later(
    ngo_with_short_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(respond_after(SLOW_ANSWER_SECONDS, echo()))
    conversation = flow_of(ngo_with_short_deadline, Mode.SYNC)
    replies = ask_five_questions(conversation, glific)
    assert all(is_apology(message) for messages in replies for message in messages)
    assert [(call.status, call.outcome) for call in conversation.calls] == [(504, "Failure")] * 5


@pytest.mark.parametrize("mode", Mode)
@ON_SQLITE
def test_it_apologises_five_times_when_the_model_fails(
    mode: Mode, organization: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    replies = ask_five_questions(flow_of(organization, mode), glific)
    assert [is_apology(messages[-1]) for messages in replies] == [True] * 5
    assert echoed_questions(replies) == []


@pytest.mark.parametrize("mode", LATER)
@ON_SQLITE
def test_it_apologises_five_times_when_a_slow_model_fails_late(
    mode: Mode, ngo_with_short_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(respond_after(SLOW_ANSWER_SECONDS, out_of_credit()))
    replies = ask_five_questions(flow_of(ngo_with_short_deadline, mode), glific)
    assert [is_apology(messages[-1]) for messages in replies] == [True] * 5


@pytest.mark.parametrize("mode", Mode)
@ON_SQLITE
def test_it_recovers_when_only_some_answers_fail(
    mode: Mode, organization: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(echo(), out_of_credit(), echo(), out_of_credit(), echo())
    replies = ask_five_questions(flow_of(organization, mode), glific)
    assert echoed_questions(replies) == list(QUESTIONS[::2])
    assert [any(map(is_apology, messages)) for messages in replies] == [False, True, False, True, False]


@pytest.mark.parametrize("mode", LATER)
@ON_SQLITE
def test_it_apologises_five_times_when_no_answer_arrives(
    mode: Mode, ngo_with_short_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(respond_after(SLOW_ANSWER_SECONDS))
    conversation = flow_of(ngo_with_short_deadline, mode)
    conversation.start(KEYWORD)
    for question in QUESTIONS:
        conversation.send_text(question)
        conversation.advance_clock(181)
        assert is_apology(conversation.messages[-1]), conversation.transcript()
    assert conversation.problems == []


@ON_SQLITE
def test_it_answers_later_by_signed_call(
    server_with_worker: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = signed(server_with_worker, glific)
    openai.always(echo())
    endpoint = WebhookEndpoint(alice.url, None)
    flow = build_flow(FlowSpec(Mode.ASYNC, "Ask", KEYWORD, endpoint, "gpt-4o-mini"))
    conversation = simulate(flow, organization=GlificOrganization(17, SecretStr(PHRASE)))
    connect_conversations(glific, conversation)
    conversation.start(KEYWORD)
    conversation.send_text(QUESTIONS[0])
    assert conversation.wait_until_settled(15), conversation.transcript()
    assert echoed_questions([conversation.messages]) == [QUESTIONS[0]]
    assert [resumed.signature_is_right for resumed in glific.resumptions] == [True]


def signed(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Return an organization that uses the signature for calls and for later answers."""
    glific.phrase = PHRASE
    alice = server.add_organization("alice")
    alice.connect_signed(glific, PHRASE)
    return alice


def questions_sent(openai: OpenAIStandIn) -> list[list[str]]:
    """Return what people wrote in the messages of each request."""
    return [
        [message["content"] for message in request.body["messages"] if message["role"] == "user"]
        for request in openai.requests
    ]


@pytest.mark.parametrize("mode", Mode)
@ON_SQLITE
def test_a_flow_with_memory_continues_its_conversation(
    mode: Mode, organization: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(echo())
    replies = ask_five_questions(flow_of(organization, mode, has_memory=True), glific)
    assert echoed_questions(replies) == list(QUESTIONS)
    assert questions_sent(openai) == [list(QUESTIONS[:number]) for number in range(1, 6)]


@ON_SQLITE
def test_a_flow_with_memory_continues_its_conversation_after_a_failure(
    ngo_with_short_deadline: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(*(respond_after(SLOW_ANSWER_SECONDS, each) for each in (echo(), out_of_credit(), echo(), echo())))
    openai.always(respond_after(SLOW_ANSWER_SECONDS, echo()))
    replies = ask_five_questions(flow_of(ngo_with_short_deadline, Mode.AUTO, has_memory=True), glific)
    assert is_apology(replies[1][-1])
    asked = [question for question in QUESTIONS if question != QUESTIONS[1]]
    assert questions_sent(openai)[-1] == asked
