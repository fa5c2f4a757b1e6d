"""The log has one line for each call, and one for the end of each later answer."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support import http
from tests.support.deferred import create_connected_organization, pending_call_id, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, rate_limit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization


def lines_of(event: str, logs: list[Any]) -> list[dict[str, Any]]:
    return [line for line in logs if line["event"] == event]


def test_a_call_is_one_line_with_its_organization_model_status_and_times(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(answer("Sugar and salt.", after=0.2))
    with capture_logs() as logs:
        call_id = alice.ask(gpt_model="gpt-4o-mini").json()["call_id"]
        wait_until(lambda: lines_of("call_finished", logs))
    (line,) = lines_of("call_finished", logs)
    times = {name: line.pop(name) for name in ("duration_ms", "openai_ms", "model")}
    assert line == {
        "event": "call_finished",
        "log_level": "info",
        "organization": "alice",
        "function": "parse_via_chat_gpt",
        "mode": "sync",
        "status": "ok",
        "http_status": 200,
        "call_id": call_id,
        "error_code": None,
        "cause": None,
        "replayed": False,
    }
    assert times["model"].startswith("gpt-4o-mini")
    assert 200 <= times["openai_ms"] <= times["duration_ms"] < 10_000


def test_the_line_of_a_failed_call_has_its_cause(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(rate_limit(retry_after="60"))
    with capture_logs() as logs:
        alice.ask()
        wait_until(lambda: lines_of("call_finished", logs))
    (line,) = lines_of("call_finished", logs)
    assert (line["status"], line["error_code"], line["http_status"]) == ("error", "rate_limited", 429)
    assert line["cause"].startswith("HTTP 429, code rate_limit_exceeded")


@pytest.mark.parametrize(("slug", "addressed"), [("alice", "alice"), ("nobody", "nobody"), ("No%0aName", None)])
def test_a_refused_call_names_the_organization_that_was_addressed(
    alice: TestOrganization, slug: str, addressed: str | None
) -> None:
    with capture_logs() as logs:
        http.post(f"{alice.server.url}/webhooks/{slug}/parse_via_chat_gpt", json={})
        wait_until(lambda: lines_of("call_refused", logs))
    (line,) = lines_of("call_refused", logs)
    assert (line["organization"], line["http_status"], line["error_code"]) == (addressed, 401, "unauthorized")


def test_a_later_answer_has_a_line_when_it_is_accepted_and_one_when_it_is_delivered(
    server_with_worker: RunningServer, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server_with_worker, glific)
    with capture_logs() as logs:
        call_id = pending_call_id(alice.ask_deferred())
        wait_until(lambda: lines_of("delivery_finished", logs))
    (accepted,) = lines_of("call_finished", logs)
    (delivered,) = lines_of("delivery_finished", logs)
    assert (accepted["mode"], accepted["status"], accepted["call_id"]) == ("async", "pending", call_id)
    expected = ("alice", call_id, "delivered", "ok", 1)
    assert tuple(delivered[name] for name in ("organization", "call_id", "delivery", "status", "attempts")) == expected
    assert delivered["duration_ms"] > 0
