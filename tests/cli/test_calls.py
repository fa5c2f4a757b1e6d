"""flask calls."""

from datetime import UTC, datetime

import pytest

from glific_gpt.calls import records
from glific_gpt.calls.records import Facts
from glific_gpt.database import transaction
from glific_gpt.errors import ModelNotText
from glific_gpt.llm.chat import Usage
from glific_gpt.organizations import store
from tests.cli.conftest import Commands

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def record(flask: Commands, slug: str, *, ok: bool, usage: Usage | None = None) -> str:
    """The id of a new call that went well, or was refused."""
    with flask.app.app_context(), transaction() as session:
        owner = store.find(session, slug).id
        facts = Facts(owner, "parse_via_chat_gpt", AT, model_asked="gpt-4o", usage=usage or Usage())
        if ok:
            records.open_row(session, facts, 4.5)
            records.close_row(session, facts, None)
        else:
            records.write_row(session, facts, ModelNotText())
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
