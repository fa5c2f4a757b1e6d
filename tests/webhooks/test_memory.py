"""Conversations with memory: the flow sends back `thread_id`, and the model gets the earlier turns."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import time_machine
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from glific_gpt.clock import now
from glific_gpt.database import Base, reading
from glific_gpt.logging import redact
from tests.conftest import StartServer
from tests.support.openai_behaviours import answer, json_answer, rate_limit, server_error
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.settings import ENCRYPTION_KEY
from tests.webhooks.assertions import require_error, require_ok

VARIABLE = "@results.gpt_response.thread_id"
SENTENCE = "ओआरएस छह चम्मच चीनी और आधा चम्मच नमक है, एक लीटर साफ़ पानी में घोला हुआ। "


def ask(
    organization: TestOrganization, question: str, thread_id: Any = VARIABLE, contact: int | None = 21, **body: Any
) -> httpx2.Response:
    """Ask like a flow with memory."""
    from_glific = {"contact": {"id": contact}} if contact else {}
    return organization.ask(question, thread_id=thread_id, **from_glific, **body)


def memory_of(reply: httpx2.Response) -> tuple[str, str]:
    """Return the memory of a successful answer and its thread id, which is short and needs no escaping."""
    require_ok(reply, with_memory=True)
    thread_id = reply.json()["thread_id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,5999}", thread_id)
    return reply.json()["memory"], thread_id


def sent_texts(openai: OpenAIStandIn) -> list[str]:
    """Return the texts of the messages of the last question."""
    return [message["content"] for message in openai.requests[-1].body["messages"]]


def test_the_next_question_is_asked_with_the_earlier_turns(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(answer("Sugar and **salt**."), answer("Six spoons."), answer("Yes."))
    memory, thread_id = memory_of(ask(alice, "What is ORS?", prompt="Be brief."))
    assert memory == "new"
    assert sent_texts(openai) == ["Be brief.", "What is ORS?"]

    memory, thread_id = memory_of(ask(alice, "How much sugar?", thread_id, prompt="Be kind."))
    assert memory == "continued"
    assert openai.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "What is ORS?"},
        {"role": "assistant", "content": "Sugar and **salt**."},
        {"role": "user", "content": "How much sugar?"},
    ]
    memory_of(ask(alice, "Is it safe?", thread_id))
    assert sent_texts(openai)[2:] == ["How much sugar?", "Six spoons.", "Is it safe?"]


def test_the_responses_api_gets_the_turns_too(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("Sugar and salt."))
    _, thread_id = memory_of(ask(alice, "What is ORS?", gpt_model="gpt-5-pro"))
    assert openai.requests[-1].body["input"] == "What is ORS?"
    memory_of(ask(alice, "How much?", thread_id, gpt_model="gpt-5-pro"))
    assert openai.requests[-1].body["input"] == [
        {"role": "user", "content": "What is ORS?"},
        {"role": "assistant", "content": "Sugar and salt."},
        {"role": "user", "content": "How much?"},
    ]
    assert openai.requests[-1].body["store"] is False


def test_nothing_changes_without_the_field(alice: TestOrganization) -> None:
    body = alice.ask().json()
    assert body.keys() == {"success", "status", "parsed_msg", "model", "call_id"}
    assert "thread_id" not in require_error(alice.ask(""), "empty_question")


UNUSABLE = ("", "  ", None, VARIABLE, VARIABLE + "।", "x", "gAAAA", 7, True, ["a"], {"a": VARIABLE}, "a" * 9999)


def test_anything_else_begins_a_conversation(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for unusable in UNUSABLE:
        for defaults in ({}, {"results.gpt_response.thread_id": "-"}):
            memory, _ = memory_of(ask(alice, "What is ORS?", unusable, defaults=defaults))
            assert memory == "new", unusable
            assert sent_texts(openai) == ["What is ORS?"]


def test_only_the_same_contact_function_and_organization_continue_it(
    server: RunningServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    bob = server.add_organization("bob")
    threads = {contact: memory_of(ask(alice, "A secret", contact=contact))[1] for contact in (21, 22, None)}
    for sender, contact in ((alice, 21), (alice, 22), (alice, None), (bob, 21)):
        for owner, thread_id in threads.items():
            is_owner = sender is alice and owner == contact
            memory, _ = memory_of(ask(sender, "What did I say?", thread_id, contact=contact))
            assert memory == ("continued" if is_owner else "new")
            assert ("A secret" in sent_texts(openai)) == is_owner


def test_it_expires_after_the_hours_of_the_organization(alice: TestOrganization) -> None:
    begun = now()

    def memory_after(hours: float) -> str:
        with time_machine.travel(begun + timedelta(hours=hours)):
            return memory_of(ask(alice, "And now?", thread_id))[0]

    _, thread_id = memory_of(ask(alice, "What is ORS?"))
    assert [memory_after(23.9), memory_after(24.1)] == ["continued", "new"]
    alice.change(memory_hours=48)
    assert [memory_after(47.9), memory_after(48.1)] == ["continued", "new"]


def test_each_answer_keeps_the_conversation_alive(alice: TestOrganization) -> None:
    begun, thread_id = now(), VARIABLE
    for day in range(3):
        with time_machine.travel(begun + timedelta(hours=23 * day)):
            memory, thread_id = memory_of(ask(alice, "And today?", thread_id))
    assert memory == "continued"


def test_a_thread_outlives_the_change_of_the_encryption_key(start_server: StartServer) -> None:
    alice = start_server().add_organization("alice")
    _, thread_id = memory_of(ask(alice, "What is ORS?"))
    keys = f"{Fernet.generate_key().decode()},{ENCRYPTION_KEY}"
    rotated = replace(alice, server=start_server(encryption_keys=keys))
    assert memory_of(ask(rotated, "And now?", thread_id))[0] == "continued"


@pytest.mark.parametrize("text", ["Six spoons of sugar and half a spoon of salt. ", SENTENCE])
def test_a_long_conversation_keeps_its_last_turns(alice: TestOrganization, openai: OpenAIStandIn, text: str) -> None:
    thread_id = VARIABLE
    for number in range(20):
        openai.will(answer(f"Answer {number}. " + text * 12))
        memory, thread_id = memory_of(ask(alice, f"Question {number}? {text}", thread_id))
    assert memory == "continued"
    ask(alice, "And now?", thread_id)
    kept = [sent.partition("?")[0] for sent in sent_texts(openai)[:-1:2]]
    assert kept == [f"Question {number}" for number in range(20 - len(kept), 20)]
    assert len(kept) >= 5


def test_an_enormous_question_is_answered_and_its_end_remembered(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    letter = "".join(f"{number} " for number in range(20_000)) + "Is this true?"
    _, thread_id = memory_of(ask(alice, letter))
    memory_of(ask(alice, "Why?", thread_id))
    remembered, _, question = sent_texts(openai)
    assert remembered.endswith("19999 Is this true?")
    assert len(remembered) <= 4000
    assert question == "Why?"


def test_it_remembers_what_the_model_wrote_and_not_its_thinking(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(answer("<think>A secret plan.</think>**Six** spoons, see @results.x, <% run %>"))
    reply = ask(alice, "How much?")
    memory_of(ask(alice, "Sure?", memory_of(reply)[1]))
    assert sent_texts(openai)[1] == "**Six** spoons, see @results.x, <% run %>"
    assert reply.json()["parsed_msg"] != sent_texts(openai)[1]


def test_it_remembers_json_as_the_model_wrote_it(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(json_answer({"dose": "**6**", "note": None}))
    reply = ask(alice, "How much?", response_format={"type": "json_object"})
    memory_of(ask(alice, "Sure?", memory_of(reply)[1]))
    assert sent_texts(openai)[-2] == '{"dose":"**6**","note":null}'


def test_it_remembers_only_what_the_person_has_received_of_an_answer_that_was_cut(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.will(answer("First. Second. Thi", finish_reason="length"))
    cut = ask(alice, "Tell me.").json()
    ask(alice, "Go on.", cut["thread_id"])
    assert sent_texts(openai)[1] == cut["parsed_msg"] == "First. Second. …"
    openai.will(answer("A sentence. " * 20))
    short = ask(alice, "Tell me.", max_characters=100).json()
    ask(alice, "Go on.", short["thread_id"])
    assert sent_texts(openai)[1] == short["parsed_msg"]
    assert len(short["parsed_msg"]) <= 100


def test_a_failed_call_returns_the_thread_id_that_it_got(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    """A resumed flow replaces its result by the error, and would lose its conversation."""
    _, thread_id = memory_of(ask(alice, "What is ORS?"))
    openai.will(rate_limit(retry_after="60"), rate_limit(retry_after="60"))
    body = ask(alice, "How much?", thread_id).json()
    assert (body["error_code"], body["thread_id"]) == ("rate_limited", thread_id)
    assert "memory" not in body
    assert "thread_id" not in require_error(ask(alice, "How much?", "x"), "rate_limited")
    assert "thread_id" not in require_error(
        ask(alice, "How much?", thread_id, contact=22, temperature=9), "invalid_field"
    )


def test_a_repeated_call_gets_the_same_thread_id(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    body = {"question_text": "What is ORS?", "thread_id": VARIABLE}
    first, second = (alice.post(body, headers={"Idempotency-Key": "a-key"}) for _ in range(2))
    assert memory_of(first) == memory_of(second)
    assert len(openai.requests) == 1


def test_the_budget_counts_the_earlier_turns(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    """The price of a long memory is reserved, so that a budget is not exceeded."""
    openai.will(answer("A sentence about it. " * 150))
    _, thread_id = memory_of(ask(alice, "What is ORS?", gpt_model="gpt-4o"))
    alice.change(monthly_budget_usd="0.006")
    assert ask(alice, "How much?", thread_id).json()["error_code"] == "budget_exceeded"
    assert len(openai.requests) == 1
    assert ask(alice, "How much?", "").json()["status"] == "ok"
    alice.change(monthly_budget_usd="0.1")
    assert ask(alice, "How much?", thread_id).json()["status"] == "ok"
    assert openai.requests[-1].body["max_completion_tokens"] > 500


def test_nothing_of_it_is_logged_or_stored(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("A sweet secret."))
    with capture_logs() as logs:
        _, thread_id = memory_of(ask(alice, "A salty secret"))
        memory_of(ask(alice, "And now?", thread_id))
        ask(alice, "", thread_id)
    assert "secret" not in str(logs)
    assert thread_id not in str(logs)
    with alice.server.app.app_context(), reading() as session:
        for table in Base.metadata.sorted_tables:
            rows = str(session.execute(table.select()).all())
            assert "secret" not in rows
            assert thread_id not in rows


def test_a_log_line_hides_a_thread_id(alice: TestOrganization) -> None:
    _, thread_id = memory_of(ask(alice, "What is ORS?"))
    assert redact(f"got {thread_id}, and more") == "got [hidden], and more"


def test_a_fallback_model_gets_the_earlier_turns_and_is_remembered(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(fallback_model="gpt-4.1-mini")
    _, thread_id = memory_of(ask(alice, "What is ORS?"))
    openai.will(server_error(503), answer("Six spoons."), answer("Yes."))
    reply = ask(alice, "How much?", thread_id).json()
    assert sent_texts(openai)[0] == "What is ORS?"
    ask(alice, "Sure?", reply["thread_id"])
    assert sent_texts(openai)[2:4] == ["How much?", "Six spoons."]
