"""flask calls."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from glific_gpt.calls import records
from glific_gpt.calls.context import CallContext
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.errors import ModelNotText
from glific_gpt.openai.chat import Tokens, Usage
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.organizations import store
from tests.cli.conftest import Commands, commands
from tests.support.deferred import create_connected_organization
from tests.support.glific_behaviours import answer as glific_answer
from tests.support.glific_behaviours import drop_reply, errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def record(flask: Commands, slug: str, *, ok: bool, usage: Usage | None = None) -> str:
    """Record a call that succeeded or was refused, and return its id."""
    with flask.app.app_context(), transaction() as session:
        owner = store.find(session, slug).id
        facts = CallContext(owner, "parse_via_chat_gpt", AT, model_asked="gpt-4o", usage=usage or Usage())
        if ok:
            session.execute(*records.insert_statement(facts, 4.5))
            session.execute(*records.finish_statement(facts, None))
        else:
            session.execute(*records.failure_statement(facts, ModelNotText()))
    return facts.call_id


@pytest.fixture
def three_calls(flask: Commands, seva: str) -> list[str]:
    """The ids of three calls, newest first; the second was refused."""
    return [record(flask, seva, ok=ok) for ok in (True, False, True)][::-1]


def ids(flask: Commands, *args: str) -> list[str]:
    return [row["call_id"] for row in flask.json("calls", "list", *args)]


def test_it_shows_everything_that_is_stored_of_a_call(flask: Commands, seva: str) -> None:
    usage = Usage(model="gpt-4o-2024-08-06", tokens=Tokens(1000, 200))
    call_id = record(flask, seva, ok=True, usage=usage)
    (call,) = flask.json("calls", "list", seva)
    assert call.pop("duration_ms") >= 0
    assert {key: call[key] for key in list(call)[:8]} == {
        "call_id": call_id,
        "at": "2026-01-02T03:04:05.678Z",
        "function": "parse_via_chat_gpt",
        "model": "gpt-4o-2024-08-06",
        "status": "ok",
        "error_code": None,
        "input_tokens": 1000,
        "output_tokens": 200,
    }
    assert call["cost_usd"] == 0.0045


def test_it_lists_calls_newest_first_and_in_pages(flask: Commands, seva: str, three_calls: list[str]) -> None:
    assert ids(flask, seva) == three_calls
    assert ids(flask, seva, "--limit", "2") == three_calls[:2]
    assert ids(flask, seva, "--limit", "2", "--before", three_calls[1]) == three_calls[2:]
    assert flask.text("calls", "list", seva, "--limit", "2").endswith(f"add --before {three_calls[1]}\n")
    assert "--before" not in flask.text("calls", "list", seva)


def test_it_lists_calls_of_one_status(flask: Commands, seva: str, three_calls: list[str]) -> None:
    assert ids(flask, seva, "--status", "error") == [three_calls[1]]
    (refused,) = flask.json("calls", "list", seva, "--status", "error")
    assert refused["error_code"] == "model_not_text"
    assert "'lost' is not one of" in flask.failure("calls", "list", seva, "--status", "lost", code=2)


def test_it_lists_only_calls_of_the_organization(flask: Commands, three_calls: list[str]) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    assert flask.json("calls", "list", "other") == []
    assert flask.failure("calls", "list", "other", "--before", three_calls[0]).startswith(
        "There is no call with this id"
    )


def test_it_says_what_to_do_when_there_are_no_calls(flask: Commands, seva: str) -> None:
    assert "/webhooks/seva/parse_via_chat_gpt" in flask.text("calls", "list", seva)
    assert "flask calls list seva" in flask.text("calls", "list", seva, "--status", "ok")


PERMANENT_FAILURE = errors({"key": "contact", "message": "Resource not found"})

TIMESTAMPS = ("accepted_at", "asked_at", "answered_at", "resumed_at", "given_up_at")


@pytest.fixture
def server_commands(database_url: str) -> Iterator[Commands]:
    """Commands with the database of a running server."""
    with commands(database_url=database_url) as flask:
        yield flask


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """An organization with a Glific connection, on a server that works on deferred calls."""
    return create_connected_organization(server_with_worker, glific)


def finish_deferred_call(alice: TestOrganization) -> str:
    """Make a deferred call, wait until it was delivered or given up, and return its id."""
    call_id = str(alice.ask_deferred().json()["call_id"])
    alice.wait_for_delivery(call_id)
    return call_id


def event_names(output: str) -> list[str]:
    """Return the names of the events in a timeline."""
    return re.findall(r"^\d\d:\d\d:\d\d\.\d  \+\d+\.\d s +(\w+(?: up)?)[:,]", output, re.MULTILINE)


def test_it_shows_the_timeline_of_a_delivered_answer(server_commands: Commands, alice: TestOrganization) -> None:
    call_id = finish_deferred_call(alice)
    call_detail = server_commands.json("calls", "show", "alice", call_id)
    (listed,) = server_commands.json("calls", "list", "alice")
    assert {key: call_detail.pop(key) for key in listed} == listed
    moments = [call_detail.pop(key) for key in TIMESTAMPS]
    assert moments[:4] == sorted(moments[:4])
    assert moments[4] is None
    assert call_detail == {
        "delivery": "delivered",
        "attempts": 1,
        "cause": None,
        "last_response": "Glific accepted the answer, and the flow continues.",
        "error_class": None,
        "error": None,
    }
    output = server_commands.text("calls", "show", "alice", call_id)
    assert event_names(output) == ["arrived", "accepted", "asked", "answered", "resumed"]
    assert "accepted: the flow was told to wait" in output
    assert output.endswith("resumed, after 1 attempt: Glific accepted the answer, and the flow continues.\n")


def test_it_shows_the_timeline_of_a_call_that_was_answered_directly(flask: Commands, seva: str) -> None:
    usage = Usage(model="gpt-4o-2024-08-06", tokens=Tokens(1000, 200))
    call_id = record(flask, seva, ok=True, usage=usage)
    call_detail = flask.json("calls", "show", seva, call_id)
    assert [call_detail[key] is None for key in TIMESTAMPS] == [True, True, False, True, True]
    assert (call_detail["delivery"], call_detail["attempts"], call_detail["last_response"]) == (None, 0, None)
    output = flask.text("calls", "show", seva, call_id)
    assert "03:04:05.6  +0.0 s" in output
    assert "answered: gpt-4o-2024-08-06, tokens: 1000 in, 200 out" in output
    assert event_names(output) == ["arrived", "answered"]


def test_it_shows_an_interrupted_call(flask: Commands, seva: str) -> None:
    with flask.app.app_context(), transaction() as session:
        facts = CallContext(store.find(session, seva).id, "parse_via_chat_gpt", AT)
        session.execute(*records.insert_statement(facts, 4.5))
    assert "being answered right now" in flask.text("calls", "show", seva, facts.call_id)
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert event_names(flask.text("calls", "show", seva, facts.call_id)) == ["arrived", "interrupted"]


def test_it_explains_an_error_and_who_can_fix_it(
    server_commands: Commands, alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    call_id = finish_deferred_call(alice)
    call_detail = server_commands.json("calls", "show", "alice", call_id)
    assert (call_detail["status"], call_detail["error_code"], call_detail["error_class"]) == (
        "error",
        "insufficient_quota",
        "organization",
    )
    assert call_detail["error"].startswith("OpenAI says that this key's account has no credit left")
    assert f"failed: insufficient_quota. {call_detail['error']}" in server_commands.text(
        "calls", "show", "alice", call_id
    )
    wordless = alice.ask(gpt_model="whisper-1").json()["call_id"]
    call_detail = server_commands.json("calls", "show", "alice", wordless)
    assert (call_detail["error_code"], call_detail["error_class"], call_detail["error"]) == (
        "model_not_text",
        "caller",
        None,
    )


@pytest.mark.both_databases
def test_it_advises_a_retry_which_delivers_the_answer(
    server_commands: Commands, alice: TestOrganization, glific: GlificStandIn
) -> None:
    glific.always(PERMANENT_FAILURE)
    call_id = finish_deferred_call(alice)
    call_detail = server_commands.json("calls", "show", "alice", call_id)
    assert (call_detail["error_code"], call_detail["delivery"]) == ("undelivered", "undelivered")
    assert (call_detail["resumed_at"], call_detail["given_up_at"] is None) == (None, False)
    output = server_commands.text("calls", "show", "alice", call_id)
    assert event_names(output) == ["arrived", "accepted", "asked", "answered", "given up"]
    assert output.endswith(f"flask calls retry alice {call_id}\n")
    glific.always(glific_answer())
    assert f"flask calls show alice {call_id}" in server_commands.text("calls", "retry", "alice", call_id)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert server_commands.json("calls", "show", "alice", call_id)["given_up_at"] is None
    assert server_commands.failure("calls", "retry", "alice", call_id) == "The flow already has this answer."


def test_it_shows_a_retry(server_commands: Commands, alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.always(PERMANENT_FAILURE)
    call_id = finish_deferred_call(alice)
    alice.server.services.engine.stop(5)
    with time_machine.travel(now() + timedelta(minutes=5)):
        retried = server_commands.json("calls", "retry", "alice", call_id)
        assert (retried["status"], retried["delivery"], retried["error_code"]) == ("pending", "waiting", None)
        output = server_commands.text("calls", "show", "alice", call_id)
    assert event_names(output) == ["arrived", "accepted", "asked", "answered", "retried"]
    assert "Attempts so far: 1. Glific cannot find the contact or the flow" in output


def test_it_says_that_an_answer_is_no_longer_stored(
    server_commands: Commands, alice: TestOrganization, glific: GlificStandIn
) -> None:
    glific.always(PERMANENT_FAILURE)
    call_id = finish_deferred_call(alice)
    with time_machine.travel(now() + timedelta(hours=25)):
        run_housekeeping(alice.server.app)
    assert "no longer stored" in server_commands.text("calls", "show", "alice", call_id)
    assert "no longer stored" in server_commands.failure("calls", "retry", "alice", call_id)


def test_it_warns_about_an_uncertain_delivery(
    server_commands: Commands, alice: TestOrganization, glific: GlificStandIn
) -> None:
    glific.will(drop_reply(), PERMANENT_FAILURE)
    call_id = finish_deferred_call(alice)
    output = server_commands.text("calls", "show", "alice", call_id)
    assert "The answer may have been delivered" in output
    assert f"flask calls retry alice {call_id}" in output


def test_it_advises_to_check_for_a_worker_when_a_call_is_pending_for_too_long(
    server_commands: Commands, server: RunningServer, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server, glific)
    call_id = alice.ask_deferred().json()["call_id"]
    assert server_commands.text("calls", "show", "alice", call_id).endswith(
        "The delivery is in progress. Attempts so far: 0.\n"
    )
    with time_machine.travel(now() + timedelta(minutes=3)):
        output = server_commands.text("calls", "show", "alice", call_id)
    assert "Check that a worker is running" in output
    assert event_names(output) == ["arrived", "accepted"]
    assert "is being delivered right now" in server_commands.failure("calls", "retry", "alice", call_id)


@pytest.mark.both_databases
def test_it_lists_pending_calls(server_commands: Commands, server: RunningServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(server, glific)
    alice.ask()
    call_id = alice.ask_deferred().json()["call_id"]
    (pending,) = server_commands.json("calls", "list", "alice", "--status", "pending")
    assert (pending["call_id"], pending["status"], pending["model"]) == (call_id, "pending", "gpt-4o")
    assert [pending[key] for key in ("error_code", "duration_ms", "input_tokens", "cost_usd")] == [None] * 4
    assert re.search(
        rf"^{call_id} .* gpt-4o +pending(?: +-){{5}}$", server_commands.text("calls", "list", "alice"), re.MULTILINE
    )


@pytest.mark.both_databases
def test_calls_of_another_organization_can_neither_be_seen_nor_retried(
    server_commands: Commands, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.server.add_organization("bob")
    glific.always(PERMANENT_FAILURE)
    call_id = finish_deferred_call(alice)
    for command in ("show", "retry"):
        for unknown in (call_id, f"call_{'0' * 24}", "x"):
            assert server_commands.failure("calls", command, "bob", unknown) == "There is no call with this id."
    assert alice.delivery(call_id).state == "undelivered"
