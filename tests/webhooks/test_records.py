"""Records of calls: the data for a report to donors, and no text of a message."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from glific_gpt.calls.tables import Call
from glific_gpt.database import db, transaction
from tests.support.openai_behaviours import answer, out_of_credit, wrong_shape
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.both_databases

PERSONAL_FIELDS: dict[str, Any] = {
    "contact": {
        "id": 21,
        "name": "Asha Devi",
        "phone": "919876543210",
        "fields": {"village": {"value": "Rampur"}},
    },
    "results": {"ailment": {"input": "fever since Monday"}},
}
MESSAGE_WORDS = ("Asha", "Devi", "9876543210", "Rampur", "fever", "malaria", "nurse", "quinine")
"""Words of the contact, the results, the question, the prompt and the answer."""


def dump_tables(server: RunningServer) -> str:
    """Return every value of every table."""
    with server.app.app_context(), transaction() as session:
        rows = [row for name in db.metadata.tables for row in session.execute(text(f"SELECT * FROM {name}"))]  # noqa: S608
    return "\n".join(repr(tuple(row)) for row in rows)


def test_it_records_an_answer(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer(input_tokens=1000, output_tokens=500))
    before = datetime.now(UTC)
    reply = alice.ask(gpt_model="gpt-4o", flow_id="5", **PERSONAL_FIELDS)
    (call,) = alice.calls()
    at = datetime.fromisoformat(call.pop("at"))
    assert abs((at - before).total_seconds()) < 5
    assert 0 <= call.pop("duration_ms") < 5000
    assert call == {
        "call_id": reply.json()["call_id"],
        "function": "parse_via_chat_gpt",
        "model": "gpt-4o",
        "status": "ok",
        "error_code": None,
        "fallback_reason": None,
        "input_tokens": 1000,
        "output_tokens": 500,
        "cost_usd": 0.0075,
        "cut_off": False,
        "contact_id": 21,
        "flow_id": 5,
        "error_detail": None,
    }


def test_it_records_a_failure_of_openai(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(out_of_credit())
    reply = alice.ask(gpt_model="gpt-4o-mini", flow_id=5, contact_id="21")
    (call,) = alice.calls()
    assert (call["call_id"], call["status"]) == (reply.json()["call_id"], "error")
    assert (call["error_code"], call["model"]) == ("insufficient_quota", "gpt-4o-mini")
    assert (call["contact_id"], call["flow_id"]) == (21, 5)
    assert call["input_tokens"] is call["output_tokens"] is call["cost_usd"] is None


def test_it_records_calls_that_failed_a_check_newest_first(alice: TestOrganization) -> None:
    replies = [
        alice.post(content=b"{"),
        alice.ask(""),
        alice.ask("@results.x"),
        alice.ask(gpt_model="tts-1"),
        alice.post({"question_text": "Hi"}, query="_unknown"),
        alice.post(content=b" " * 1_100_000),
    ]
    recorded = [(call["call_id"], call["error_code"]) for call in alice.calls()]
    assert recorded == [(reply.json()["call_id"], reply.json()["error_code"]) for reply in reversed(replies)]
    assert {call["status"] for call in alice.calls()} == {"error"}


def test_it_records_nothing_for_unauthorized_callers(alice: TestOrganization, bob: TestOrganization) -> None:
    alice.change(glific_organization_id=7)
    require_error(alice.ask(organization_id=8), "unauthorized")
    require_error(alice.post({}, headers={"Authorization": f"Bearer {bob.token}"}), "unauthorized")
    assert alice.calls() == bob.calls() == []


def test_an_organization_has_only_its_own_calls(alice: TestOrganization, bob: TestOrganization) -> None:
    alice_reply, bob_reply = alice.ask(), bob.ask()
    assert [call["call_id"] for call in alice.calls()] == [alice_reply.json()["call_id"]]
    assert [call["call_id"] for call in bob.calls()] == [bob_reply.json()["call_id"]]


def test_no_text_of_a_message_is_stored(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("Take quinine, Asha."))
    fields: dict[str, Any] = {"prompt": "You are a nurse.", "flow_id": "5", **PERSONAL_FIELDS}
    key = {"Idempotency-Key": "Asha-919876543210"}
    require_ok(alice.post({"question_text": "Is it malaria?", **fields}, headers=key))
    require_ok(alice.ask("Is it malaria?", **fields))
    openai.always(wrong_shape({"error": "Asha has malaria"}))
    require_error(alice.ask("Is it malaria?", **fields), "bad_upstream_reply")
    require_error(alice.ask("malaria @results.answer", **fields), "unresolved_variable")
    require_error(alice.ask("malaria", temperature="fever", **fields), "invalid_field")
    require_error(alice.ask("malaria", gpt_model="malaria-tts", **fields), "model_not_text")
    require_error(alice.post(content=b'{"malaria": Asha'), "invalid_json")

    stored = dump_tables(alice.server)

    assert len(alice.calls()) == 7
    assert [word for word in MESSAGE_WORDS if word in stored.replace("malaria-tts", "")] == []
    assert alice.key not in stored
    assert alice.token not in stored


def test_a_call_is_recorded_before_openai_is_asked(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    calls_meanwhile: list[dict[str, Any]] = []

    def record_calls(exchange: Any) -> None:
        calls_meanwhile.extend(alice.calls())
        answer()(exchange)

    openai.always(record_calls)
    require_ok(alice.ask())
    assert [call["status"] for call in calls_meanwhile] == ["started"]
    assert [call["status"] for call in alice.calls()] == ["ok"]


def test_an_abandoned_call_is_interrupted(alice: TestOrganization) -> None:
    require_ok(alice.ask())
    with alice.server.app.app_context(), transaction() as session:
        call = session.scalars(select(Call)).one()
        call.status, call.give_up_at = "started", call.started_at
    assert [call["status"] for call in alice.calls()] == ["interrupted"]


def test_an_invalid_id_is_not_recorded(alice: TestOrganization) -> None:
    invalid_ids: tuple[Any, ...] = ("x", "@flow.id", "", None, 0, -1, 1.5, True, [], {}, 2**63, "9" * 19, "९")
    for value in invalid_ids:
        require_ok(alice.ask(contact={"id": value}, flow_id=value))
        call = alice.calls()[0]
        assert (value, call["contact_id"], call["flow_id"]) == (value, None, None)


def test_ids_up_to_64_bits_are_recorded(alice: TestOrganization) -> None:
    for value in (1, "1", 2**63 - 1, str(2**63 - 1)):
        require_ok(alice.ask(contact={"id": value}, flow_id=value))
        assert alice.calls()[0]["contact_id"] == alice.calls()[0]["flow_id"] == int(value)


def test_a_function_and_a_model_of_any_length_are_recorded(alice: TestOrganization) -> None:
    for name in ("x" * 63, "x" * 64, "y" * 500, "é" * 63):
        require_error(alice.post({"question_text": "Hi"}, query=f"_{name}"), "unknown_function")
    assert len(alice.calls()) == 4
    require_ok(alice.ask(gpt_model="m" * 200))
    assert alice.calls()[0]["model"] == "m" * 200


USAGE = {"prompt_tokens": 5, "completion_tokens": 5}


def create_reply(**changes: Any) -> dict[str, Any]:
    """Create a valid reply of OpenAI with these changes."""
    choice = {"message": {"role": "assistant", "content": "Salt."}, "finish_reason": "stop"}
    return {"model": "gpt-4o", "choices": [choice]} | changes


UNUSUAL_REPLIES = {
    "long": create_reply(model="m" * 5000, usage=USAGE),
    "NUL": create_reply(model="m\x00odel", usage=USAGE),
    "no name": create_reply(model="", usage=USAGE),
    "null": create_reply(model=None),
    "no usage": create_reply(usage=None),
    "big": create_reply(usage={"prompt_tokens": 2**31, "completion_tokens": 2**40}),
    "huge": create_reply(usage={"prompt_tokens": 10**30, "completion_tokens": 1}),
    "no count": create_reply(usage={"prompt_tokens": None}),
    "negative": create_reply(usage={"prompt_tokens": -5, "completion_tokens": 1}),
    "text": create_reply(usage="many"),
    "more": create_reply(usage=USAGE | {"more": 1}, more=[1], system_fingerprint=None),
}


def test_an_unusual_reply_is_accepted_or_refused_and_recorded(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    codes = {}
    for name, reply in UNUSUAL_REPLIES.items():
        openai.always(wrong_shape(reply))
        codes[name] = get_code(alice.ask())
        assert alice.calls()[0]["status"] == ("ok" if codes[name] == "ok" else "error"), name
    assert set(codes.values()) == {"ok", "bad_upstream_reply"}, codes
    assert {name for name, code in codes.items() if code != "ok"} == {"long", "NUL"}
