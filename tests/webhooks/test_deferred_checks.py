"""Deferred calls pass the same checks as synchronous ones, and get their errors immediately."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from tests.support.deferred import count_deliveries, has_unfinished_work, pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import require_error

MODES = ("async", "auto")
FALLBACK = "Please call 1800."


@pytest.fixture
def connected(alice: TestOrganization, glific: GlificStandIn) -> TestOrganization:
    alice.connect(glific)
    alice.change(fallback_message=FALLBACK)
    return alice


@pytest.fixture
def require_refused(
    server: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> Callable[[httpx2.Response, str], dict[str, Any]]:
    """Require an error, and no request to OpenAI or Glific and no enqueued work."""

    def require(reply: httpx2.Response, code: str) -> dict[str, Any]:
        body = require_error(reply, code, FALLBACK)
        assert (openai.requests, glific.requests) == ([], [])
        assert count_deliveries(server) == 0
        assert not has_unfinished_work(server)
        return body

    return require


RequireRefused = Callable[[httpx2.Response, str], dict[str, Any]]


@pytest.mark.parametrize("mode", MODES)
def test_it_refuses_a_body_that_cannot_be_answered(
    connected: TestOrganization, require_refused: RequireRefused, mode: str
) -> None:
    invalid_bodies: list[tuple[str, dict[str, Any]]] = [
        ("empty_question", {"question_text": "  "}),
        ("unresolved_variable", {"question_text": "@results.question_1"}),
        ("missing_flow_context", {"flow_id": None}),
        ("missing_flow_context", {"flow_id": "@flow.id"}),
        ("missing_flow_context", {"contact": {}}),
        ("missing_flow_context", {"contact": "@contact"}),
        ("invalid_field", {"temperature": 7}),
        ("invalid_field", {"result_name": "no name"}),
        ("model_not_text", {"gpt_model": "whisper-1"}),
    ]
    for code, body in invalid_bodies:
        require_refused(connected.ask_deferred(mode, **body), code)
    assert [call["error_code"] for call in connected.calls()] == [code for code, _ in reversed(invalid_bodies)]


@pytest.mark.parametrize("mode", MODES)
def test_it_refuses_an_organization_that_is_not_connected(
    alice: TestOrganization, require_refused: RequireRefused, mode: str
) -> None:
    alice.change(fallback_message=FALLBACK)
    assert "not connected to Glific" in require_refused(alice.ask_deferred(mode), "glific_not_connected")["error"]


@pytest.mark.parametrize("mode", MODES)
def test_it_refuses_a_call_that_the_organization_does_not_allow(
    connected: TestOrganization, require_refused: RequireRefused, mode: str
) -> None:
    connected.change(allowed_models=["gpt-4o-mini"])
    require_refused(connected.ask_deferred(mode), "model_not_allowed")
    connected.switch_key(on=False)
    require_refused(connected.ask_deferred(mode), "credential_inactive")
    connected.change(is_active=False)
    require_refused(connected.ask_deferred(mode), "organization_inactive")


@pytest.mark.parametrize("mode", MODES)
def test_it_refuses_a_call_over_the_budget(
    connected: TestOrganization, require_refused: RequireRefused, mode: str
) -> None:
    connected.change(monthly_budget_usd=Decimal("0.0005"))
    require_refused(connected.ask_deferred(mode), "budget_exceeded")


def test_pending_calls_count_against_the_contact_limit(connected: TestOrganization, server: RunningServer) -> None:
    connected.change(contact_daily_limit=2)
    for _ in range(2):
        pending_call_id(connected.ask_deferred())
    require_error(connected.ask_deferred(), "contact_limit", FALLBACK)
    require_error(connected.ask_deferred("auto"), "contact_limit", FALLBACK)
    require_error(connected.ask(contact={"id": 21}), "contact_limit", FALLBACK)
    pending_call_id(connected.ask_deferred(contact=22))
    assert count_deliveries(server) == 3


def test_pending_calls_count_against_the_budget(connected: TestOrganization, server: RunningServer) -> None:
    connected.change(monthly_budget_usd=Decimal("0.0208"))
    for _ in range(2):
        pending_call_id(connected.ask_deferred(max_tokens=1000))
    require_error(connected.ask_deferred(), "budget_exceeded", FALLBACK)
    assert count_deliveries(server) == 2


def test_it_refuses_an_unknown_mode(connected: TestOrganization, require_refused: RequireRefused) -> None:
    for mode in ("later", "ASYNC", ""):
        require_refused(connected.ask_deferred(mode), "invalid_field")
