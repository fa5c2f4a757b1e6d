"""Limits: calls of a contact per day, spending of an organization per month, and concurrent calls of the server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event

import time_machine
from sqlalchemy import select

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import transaction
from tests.conftest import StartServer
from tests.support.openai_behaviours import answer, respond_after, server_error
from tests.support.openai_exchange import Exchange
from tests.support.openai_meter import Meter
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import TIMEOUT_SECONDS
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

DAY = timedelta(days=1)
TOKENS_FOR_A_CENT = 1000
"""With gpt-4o: 10 dollars for a million output tokens."""
EXPENSIVE = answer("A long answer.", input_tokens=20, output_tokens=TOKENS_FOR_A_CENT)


def test_each_contact_has_its_own_daily_limit(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(contact_daily_limit=2, fallback_message="That is enough for today.")
    for contact in ({"contact": {"id": 21}}, {"contact_id": "21"}):
        require_ok(alice.ask(**contact))
    refused = alice.ask(contact={"id": "21"})
    require_error(refused, "contact_limit", "That is enough for today.")
    assert int(refused.headers["Retry-After"]) > 60
    assert len(openai.requests) == 2

    require_ok(alice.ask(contact={"id": 22}))
    require_ok(alice.ask())
    require_ok(bob.ask(contact={"id": 21}))
    with time_machine.travel(datetime.now(UTC) + DAY + timedelta(minutes=1)):
        require_ok(alice.ask(contact={"id": 21}))


def test_a_failure_does_not_count_against_the_contact_limit(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(contact_daily_limit=1)
    openai.will(server_error(400))
    assert alice.ask(contact={"id": 21}).status_code == 502
    require_error(alice.ask("", contact={"id": 21}), "empty_question")
    require_ok(alice.ask(contact={"id": 21}))
    require_error(alice.ask(contact={"id": 21}), "contact_limit")


def test_a_killed_call_does_not_count_for_a_whole_day(alice: TestOrganization) -> None:
    alice.change(contact_daily_limit=1)
    require_ok(alice.ask(contact={"id": 21}))
    with alice.server.app.app_context(), transaction() as session:
        call = session.scalars(select(Call)).one()
        call.status, call.give_up_at = "started", now() + timedelta(minutes=1)
    require_error(alice.ask(contact={"id": 21}), "contact_limit")
    with time_machine.travel(now() + timedelta(minutes=2)):
        require_ok(alice.ask(contact={"id": 21}))


def test_a_budget_that_is_used_up_stops_every_call(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(Meter(TOKENS_FOR_A_CENT))
    alice.change(monthly_budget_usd=Decimal("0.025"), fallback_message="Please call us.")
    codes = [get_code(alice.ask(max_tokens=TOKENS_FOR_A_CENT)) for _ in range(4)]
    assert codes == ["ok", "ok", "ok", "budget_exceeded"]
    require_error(alice.ask(), "budget_exceeded", "Please call us.")
    limits = [request.body["max_completion_tokens"] for request in openai.requests]
    assert limits[:2] == [TOKENS_FOR_A_CENT, TOKENS_FOR_A_CENT]
    assert 400 < limits[2] < 500  # the rest

    require_ok(bob.ask())
    alice.change(monthly_budget_usd=Decimal("0.05"))
    require_ok(alice.ask(), cut_off=True)  # under a budget, the length of an answer is limited
    alice.change(monthly_budget_usd=None)
    require_ok(alice.ask())


def test_a_budget_resets_each_month(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(EXPENSIVE)
    alice.change(monthly_budget_usd=Decimal("0.01"))
    with time_machine.travel(datetime(2026, 1, 31, 23, 59, tzinfo=UTC)):
        require_ok(alice.ask())
        require_error(alice.ask(), "budget_exceeded")
    with time_machine.travel(datetime(2026, 2, 1, 0, 1, tzinfo=UTC)):
        require_ok(alice.ask())


def test_a_new_budget_includes_earlier_costs_of_the_month(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(EXPENSIVE)
    for _ in range(3):
        require_ok(alice.ask())
    alice.change(monthly_budget_usd=Decimal("0.03"))
    require_error(alice.ask(), "budget_exceeded")


def test_a_model_without_a_known_price_cannot_be_used_under_a_budget(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    require_ok(alice.ask(gpt_model="gpt-99-nova"))
    alice.change(monthly_budget_usd=Decimal(100))
    error = require_error(alice.ask(gpt_model="gpt-99-nova"), "budget_exceeded")["error"]
    assert "gpt-99-nova" in error
    assert len(openai.requests) == 1


def test_a_budget_holds_against_20_concurrent_calls(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal("0.055"))
    meter = Meter(TOKENS_FOR_A_CENT, seconds=0.5)
    openai.always(meter)

    replies = call_concurrently(20, lambda _: alice.ask(max_tokens=TOKENS_FOR_A_CENT))

    codes = Counter(map(get_code, replies))
    assert codes.keys() == {"ok", "budget_exceeded"}
    assert codes["ok"] == len(openai.requests) < 20
    assert Decimal("0.05") < meter.spent(alice.key) <= Decimal("0.055")
    costs = [Decimal(str(call["cost_usd"] or 0)) for call in alice.calls()]
    assert sum(costs) == meter.spent(alice.key)


def test_a_contact_limit_holds_against_concurrent_calls(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(contact_daily_limit=2)
    openai.always(respond_after(0.3))

    codes = Counter(get_code(reply) for reply in call_concurrently(8, lambda _: alice.ask(contact={"id": 21})))

    assert codes == {"ok": 2, "contact_limit": 6}


def test_a_full_server_answers_overloaded_immediately_and_recovers(
    start_server: StartServer, openai: OpenAIStandIn
) -> None:
    server = start_server(max_in_flight=1, deadline_seconds=TIMEOUT_SECONDS)
    alice = server.add_organization("alice", fallback_message="Please call us.")
    is_asked, may_answer = Event(), Event()

    def answer_later(exchange: Exchange) -> None:
        is_asked.set()
        may_answer.wait(TIMEOUT_SECONDS)
        answer()(exchange)

    openai.will(answer_later)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(alice.ask)
        assert is_asked.wait(TIMEOUT_SECONDS)
        require_error(alice.ask(), "overloaded", "Please call us.")
        assert not first.done()
        may_answer.set()
        require_ok(first.result())
    assert len(openai.requests) == 1
    require_ok(alice.ask())
    assert [call["error_code"] for call in alice.calls()] == [None, "overloaded", None]
