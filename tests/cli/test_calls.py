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
from glific_gpt.openai.chat import Usage
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.organizations import store
from tests.cli.conftest import Commands, commands
from tests.support.glific_behaviours import answer as glific_answer
from tests.support.glific_behaviours import errors, lose_the_reply
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo
from tests.support.later import connected_ngo
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def record(flask: Commands, slug: str, *, ok: bool, usage: Usage | None = None) -> str:
    """The id of a new call that went well, or was refused."""
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
def three(flask: Commands, seva: str) -> list[str]:
    """The ids of three calls, newest first; the second was refused."""
    return [record(flask, seva, ok=ok) for ok in (True, False, True)][::-1]


def ids(flask: Commands, *args: str) -> list[str]:
    return [row["call_id"] for row in flask.json("calls", "list", *args)]


def test_it_tells_all_that_is_kept_of_a_call(flask: Commands, seva: str) -> None:
    usage = Usage(model="gpt-4o-2024-08-06", input_tokens=1000, output_tokens=200)
    call_id = record(flask, seva, ok=True, usage=usage)
    (call,) = flask.json("calls", "list", seva)
    assert call.pop("duration_ms") > 0
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


def test_it_lists_calls_newest_first_and_in_pages(flask: Commands, seva: str, three: list[str]) -> None:
    assert ids(flask, seva) == three
    assert ids(flask, seva, "--limit", "2") == three[:2]
    assert ids(flask, seva, "--limit", "2", "--before", three[1]) == three[2:]
    assert flask.text("calls", "list", seva, "--limit", "2").endswith(f"add --before {three[1]}\n")
    assert "--before" not in flask.text("calls", "list", seva)


def test_it_lists_calls_of_one_status(flask: Commands, seva: str, three: list[str]) -> None:
    assert ids(flask, seva, "--status", "error") == [three[1]]
    (refused,) = flask.json("calls", "list", seva, "--status", "error")
    assert refused["error_code"] == "model_not_text"
    assert "'lost' is not one of" in flask.failure("calls", "list", seva, "--status", "lost", code=2)


def test_it_shows_calls_of_that_organization_alone(flask: Commands, three: list[str]) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    assert flask.json("calls", "list", "other") == []
    assert flask.failure("calls", "list", "other", "--before", three[0]).startswith("There is no call of that id")


def test_it_says_what_to_do_when_there_are_no_calls(flask: Commands, seva: str) -> None:
    assert "/webhooks/seva/parse_via_chat_gpt" in flask.text("calls", "list", seva)
    assert "flask calls list seva" in flask.text("calls", "list", seva, "--status", "ok")


REFUSAL = errors({"key": "contact", "message": "Resource not found"})
"""Which no second try would change."""

TELLING = ("accepted_at", "asked_at", "answered_at", "resumed_at", "given_up_at")


@pytest.fixture
def here(database_url: str) -> Iterator[Commands]:
    """The command beside a server, on the same database."""
    with commands(database_url=database_url) as flask:
        yield flask


@pytest.fixture
def alice(working_house: House, glific: GlificStandIn) -> Ngo:
    """Connected, on a server that works on answers that come later."""
    return connected_ngo(working_house, glific)


def settled(alice: Ngo) -> str:
    """The id of a call whose answer has come later, or was given up."""
    call_id = str(alice.ask_later().json()["call_id"])
    alice.settled(call_id)
    return call_id


def happened(told: str) -> list[str]:
    """The words that stand behind the times of a story."""
    return re.findall(r"^\d\d:\d\d:\d\d\.\d  \+\d+\.\d s +(\w+(?: up)?)[:,]", told, re.MULTILINE)


def test_it_tells_how_an_answer_came_to_its_flow(here: Commands, alice: Ngo) -> None:
    call_id = settled(alice)
    story = here.json("calls", "show", "alice", call_id)
    (listed,) = here.json("calls", "list", "alice")
    assert {key: story.pop(key) for key in listed} == listed
    moments = [story.pop(key) for key in TELLING]
    assert moments[:4] == sorted(moments[:4])
    assert moments[4] is None
    assert story == {
        "delivery": "delivered",
        "tries": 1,
        "said": "Glific took the answer, and the flow goes on.",
        "error_class": None,
        "error": None,
    }
    told = here.text("calls", "show", "alice", call_id)
    assert happened(told) == ["arrived", "accepted", "asked", "answered", "resumed"]
    assert "accepted: the flow was told to wait" in told
    assert told.endswith("resumed, after 1 try: Glific took the answer, and the flow goes on.\n")


def test_it_tells_of_a_call_that_was_answered_in_its_request(flask: Commands, seva: str) -> None:
    usage = Usage(model="gpt-4o-2024-08-06", input_tokens=1000, output_tokens=200)
    call_id = record(flask, seva, ok=True, usage=usage)
    story = flask.json("calls", "show", seva, call_id)
    assert [story[key] is None for key in TELLING] == [True, True, False, True, True]
    assert (story["delivery"], story["tries"], story["said"]) == (None, 0, None)
    told = flask.text("calls", "show", seva, call_id)
    assert "03:04:05.6  +0.0 s" in told
    assert "answered: gpt-4o-2024-08-06, tokens: 1000 in, 200 out" in told
    assert happened(told) == ["arrived", "answered"]


def test_it_tells_of_a_call_that_was_interrupted(flask: Commands, seva: str) -> None:
    with flask.app.app_context(), transaction() as session:
        facts = CallContext(store.find(session, seva).id, "parse_via_chat_gpt", AT)
        session.execute(*records.insert_statement(facts, 4.5))
    assert "being answered at this moment" in flask.text("calls", "show", seva, facts.call_id)
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert happened(flask.text("calls", "show", seva, facts.call_id)) == ["arrived", "interrupted"]


def test_it_says_what_an_error_means_and_who_can_mend_it(
    here: Commands, alice: Ngo, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    call_id = settled(alice)
    story = here.json("calls", "show", "alice", call_id)
    assert (story["status"], story["error_code"], story["error_class"]) == (
        "error",
        "insufficient_quota",
        "organization",
    )
    assert story["error"].startswith("OpenAI says that this key's account has no credit left")
    assert f"failed: insufficient_quota. {story['error']}" in here.text("calls", "show", "alice", call_id)
    wordless = alice.ask(gpt_model="whisper-1").json()["call_id"]
    story = here.json("calls", "show", "alice", wordless)
    assert (story["error_code"], story["error_class"], story["error"]) == ("model_not_text", "caller", None)


def test_it_says_how_to_try_an_answer_again_and_does(here: Commands, alice: Ngo, glific: GlificStandIn) -> None:
    glific.always(REFUSAL)
    call_id = settled(alice)
    story = here.json("calls", "show", "alice", call_id)
    assert (story["error_code"], story["delivery"]) == ("undelivered", "undelivered")
    assert (story["resumed_at"], story["given_up_at"] is None) == (None, False)
    told = here.text("calls", "show", "alice", call_id)
    assert happened(told) == ["arrived", "accepted", "asked", "answered", "given up"]
    assert told.endswith(f"flask calls retry alice {call_id}\n")
    glific.always(glific_answer())
    assert f"flask calls show alice {call_id}" in here.text("calls", "retry", "alice", call_id)
    assert alice.settled(call_id).state == "delivered"
    assert here.json("calls", "show", "alice", call_id)["given_up_at"] is None
    assert here.failure("calls", "retry", "alice", call_id) == "This answer has reached its flow already."


def test_it_tells_of_a_retry(here: Commands, alice: Ngo, glific: GlificStandIn) -> None:
    glific.always(REFUSAL)
    call_id = settled(alice)
    alice.house.services.engine.stop(5)
    with time_machine.travel(now() + timedelta(minutes=5)):
        retried = here.json("calls", "retry", "alice", call_id)
        assert (retried["status"], retried["delivery"], retried["error_code"]) == ("pending", "waiting", None)
        told = here.text("calls", "show", "alice", call_id)
    assert happened(told) == ["arrived", "accepted", "asked", "answered", "retried"]
    assert "tries so far: 1. Glific does not find the contact or the flow" in told


def test_it_says_that_an_answer_is_not_kept_any_more(here: Commands, alice: Ngo, glific: GlificStandIn) -> None:
    glific.always(REFUSAL)
    call_id = settled(alice)
    with time_machine.travel(now() + timedelta(hours=25)):
        run_housekeeping(alice.house.app)
    assert "not kept any more" in here.text("calls", "show", "alice", call_id)
    assert "not kept any more" in here.failure("calls", "retry", "alice", call_id)


def test_it_warns_about_an_uncertain_answer(here: Commands, alice: Ngo, glific: GlificStandIn) -> None:
    glific.will(lose_the_reply(), REFUSAL)
    call_id = settled(alice)
    told = here.text("calls", "show", "alice", call_id)
    assert "The flow may have the answer" in told
    assert f"flask calls retry alice {call_id}" in told


def test_it_asks_for_a_worker_when_a_call_is_pending_for_long(
    here: Commands, house: House, glific: GlificStandIn
) -> None:
    alice = connected_ngo(house, glific)
    call_id = alice.ask_later().json()["call_id"]
    assert here.text("calls", "show", "alice", call_id).endswith("It is on its way; tries so far: 0.\n")
    with time_machine.travel(now() + timedelta(minutes=3)):
        told = here.text("calls", "show", "alice", call_id)
    assert "is a worker running?" in told
    assert happened(told) == ["arrived", "accepted"]
    assert "is on its way" in here.failure("calls", "retry", "alice", call_id)


def test_it_lists_pending_calls(here: Commands, house: House, glific: GlificStandIn) -> None:
    alice = connected_ngo(house, glific)
    alice.ask()
    call_id = alice.ask_later().json()["call_id"]
    (pending,) = here.json("calls", "list", "alice", "--status", "pending")
    assert (pending["call_id"], pending["status"], pending["model"]) == (call_id, "pending", "gpt-4o")
    assert [pending[key] for key in ("error_code", "duration_ms", "input_tokens", "cost_usd")] == [None] * 4
    assert re.search(rf"^{call_id} .* gpt-4o +pending(?: +-){{5}}$", here.text("calls", "list", "alice"), re.MULTILINE)


def test_bob_can_neither_see_nor_retry_alices_call(here: Commands, alice: Ngo, glific: GlificStandIn) -> None:
    alice.house.ngo("bob")
    glific.always(REFUSAL)
    call_id = settled(alice)
    for command in ("show", "retry"):
        for wanted in (call_id, f"call_{'0' * 24}", "x"):
            assert here.failure("calls", command, "bob", wanted) == "There is no call of that id."
    assert alice.delivery(call_id).state == "undelivered"
