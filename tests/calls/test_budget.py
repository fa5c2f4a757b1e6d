"""Reservations: each is settled or given back exactly once, whatever happens to its call."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from glific_gpt.calls import budget
from glific_gpt.calls.allowance import Allowance
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import execute_all, transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.organizations.tables import BudgetReservation, MonthlySpend
from tests.conftest import StartServer
from tests.support.database_faults import lock_calls
from tests.support.deferred import create_connected_organization, pending_call_id, start_worker_in_process, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import Behaviour, answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_ok

BUDGET = Decimal("0.0104")
"""Pays for the question and ALL_TOKENS with gpt-4o."""
ALL_TOKENS = 1000
ANSWER = answer("Salt.", input_tokens=20, output_tokens=7)
COST = Decimal("0.00012")
NOTHING = Decimal(0)


def spend(server: RunningServer) -> Decimal:
    with server.app.app_context(), transaction() as session:
        return sum(session.scalars(select(MonthlySpend.usd)), Decimal(0))


def reserved(server: RunningServer) -> Decimal:
    with server.app.app_context(), transaction() as session:
        return sum(session.scalars(select(BudgetReservation.usd)), Decimal(0))


def expire_calls(server: RunningServer) -> None:
    """Make every running call look like one of a killed process."""
    with server.app.app_context(), transaction() as session:
        session.execute(update(Call).where(Call.status == "started").values(give_up_at=now() - timedelta(seconds=1)))


@contextmanager
def call_in_progress(
    organization: TestOrganization, openai: OpenAIStandIn, **body: Any
) -> Iterator[tuple[Event, "Future[httpx2.Response]"]]:
    """Start a call, and yield as soon as OpenAI has it. OpenAI answers when the event is set."""
    asked, may_answer = Event(), Event()

    def behave(exchange: Exchange) -> None:
        asked.set()
        assert may_answer.wait(20)
        ANSWER(exchange)

    openai.will(behave)
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(lambda: organization.ask(**body))
        try:
            assert asked.wait(20)
            yield may_answer, reply
        finally:
            may_answer.set()


def test_a_reservation_is_replaced_by_the_cost(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    with call_in_progress(alice, openai, max_tokens=ALL_TOKENS) as (may_answer, reply):
        assert spend(alice.server) == reserved(alice.server) > Decimal("0.01")
        may_answer.set()
        require_ok(reply.result())
    assert (spend(alice.server), reserved(alice.server)) == (COST, NOTHING)


def test_a_dead_calls_reservation_is_given_back_once_by_many_processes(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    require_ok(_ask(alice, openai, ANSWER))
    with call_in_progress(alice, openai, max_tokens=ALL_TOKENS):
        run_housekeeping(alice.server.app)
        assert reserved(alice.server) > 0  # it is not dead yet
        expire_calls(alice.server)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(run_housekeeping, [alice.server.app] * 6))
        assert (spend(alice.server), reserved(alice.server)) == (COST, NOTHING)


def test_a_call_that_seemed_dead_is_charged_when_it_ends(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    with call_in_progress(alice, openai) as (may_answer, reply):
        expire_calls(alice.server)
        run_housekeeping(alice.server.app)
        assert spend(alice.server) == 0
        may_answer.set()
        require_ok(reply.result())
    assert (spend(alice.server), reserved(alice.server)) == (COST, NOTHING)


def test_the_next_call_takes_what_a_dead_call_held(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    with call_in_progress(alice, openai, max_tokens=ALL_TOKENS):
        assert get_code(alice.ask()) == "budget_exceeded"
        expire_calls(alice.server)
        require_ok(_ask(alice, openai, ANSWER))
        assert reserved(alice.server) == 0


def test_a_call_gives_nothing_back_for_another_month(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    """It has locked its own month. To lock another one could lead to a deadlock with housekeeping."""
    alice.change(monthly_budget_usd=BUDGET)
    with call_in_progress(alice, openai, max_tokens=ALL_TOKENS):
        expire_calls(alice.server)
        with alice.server.app.app_context(), transaction() as session:
            session.execute(update(BudgetReservation).values(month="2026-01"))
        assert get_code(alice.ask()) == "budget_exceeded"
        assert (held := reserved(alice.server)) > 0
        # The same with a dead call of this month, so that the transaction is not rolled back.
        with alice.server.app.app_context(), transaction() as session:
            earlier = session.scalars(select(BudgetReservation)).one()
            dead = BudgetReservation(call_id="call_0", organization_id=earlier.organization_id, usd=earlier.usd)
            dead.month = f"{now():%Y-%m}"
            session.add(dead)
        require_ok(_ask(alice, openai, ANSWER))
        assert reserved(alice.server) == held


def test_a_removed_budget_leaves_no_reservation_behind(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    with call_in_progress(alice, openai) as (may_answer, reply):
        alice.change(monthly_budget_usd=None)
        alice.change(monthly_budget_usd=BUDGET)
        assert reserved(alice.server) == 0
        require_ok(_ask(alice, openai, ANSWER))
        may_answer.set()
        require_ok(reply.result())
    assert (spend(alice.server), reserved(alice.server)) == (2 * COST, NOTHING)


def test_an_answer_that_cannot_be_recorded_in_time_is_charged_later(
    alice: TestOrganization, openai: OpenAIStandIn, database_url: str
) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    with call_in_progress(alice, openai) as (may_answer, reply):
        with lock_calls(database_url):
            may_answer.set()
            require_ok(reply.result())
        wait_until(lambda: reserved(alice.server) == 0)
    assert spend(alice.server) == COST
    assert alice.calls()[0]["status"] == "ok"


def test_a_deferred_call_keeps_its_reservation_until_it_is_answered(
    server: RunningServer, glific: GlificStandIn, openai: OpenAIStandIn
) -> None:
    alice = create_connected_organization(server, glific, monthly_budget_usd=BUDGET)
    openai.always(ANSWER)
    call_id = pending_call_id(alice.ask_deferred(max_tokens=ALL_TOKENS))
    run_housekeeping(server.app)
    assert spend(server) == reserved(server) > Decimal("0.01")
    assert get_code(alice.ask_deferred()) == "budget_exceeded"
    start_worker_in_process(server)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert openai.requests[0].body["max_completion_tokens"] == ALL_TOKENS
    assert (spend(server), reserved(server)) == (COST, NOTHING)


def test_a_deferred_call_that_is_given_up_gives_its_reservation_back(
    server: RunningServer, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server, glific, monthly_budget_usd=BUDGET)
    call_id = pending_call_id(alice.ask_deferred())
    with server.app.app_context(), transaction() as session:
        session.execute(update(Call).where(Call.call_id == call_id).values(status="error"))
    for _ in range(2):
        run_housekeeping(server.app)
    assert (spend(server), reserved(server)) == (NOTHING, NOTHING)


def test_a_call_from_before_the_budget_is_limited_when_it_is_asked(
    server: RunningServer, glific: GlificStandIn, openai: OpenAIStandIn
) -> None:
    alice = create_connected_organization(server, glific)
    openai.always(ANSWER)
    first, second = (pending_call_id(alice.ask_deferred(contact=contact)) for contact in (21, 22))
    alice.change(monthly_budget_usd=Decimal("0.001"))
    start_worker_in_process(server)
    for call_id in (first, second):
        alice.wait_for_delivery(call_id)
    assert all(request.body["max_completion_tokens"] < 100 for request in openai.requests)
    assert len(openai.requests) >= 1
    assert (spend(server), reserved(server)) == (COST * len(openai.requests), NOTHING)


def test_an_auto_call_that_exceeds_its_request_settles_its_reservation(
    start_server: StartServer, glific: GlificStandIn, openai: OpenAIStandIn
) -> None:
    server = start_server(with_worker=True, deadline_seconds=0.5)
    alice = create_connected_organization(server, glific, monthly_budget_usd=BUDGET)
    may_answer = Event()

    def behave(exchange: Exchange) -> None:
        assert may_answer.wait(20)
        ANSWER(exchange)

    openai.will(behave)
    call_id = pending_call_id(alice.ask_deferred("auto", max_tokens=ALL_TOKENS))
    run_housekeeping(server.app)
    assert spend(server) == reserved(server) > Decimal("0.01")
    may_answer.set()
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert (spend(server), reserved(server)) == (COST, NOTHING)


def test_a_repeated_write_of_a_finished_call_charges_it_once(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    require_ok(_ask(alice, openai, ANSWER))
    with alice.server.app.app_context(), transaction() as session:
        call = session.scalars(select(Call)).one()
        context = CallContext(call.organization_id, call.function, call.started_at, call.call_id)
        context.allowance = Allowance(BUDGET)
        context.allowance.left = BUDGET - COST
        execute_all(session, budget.settle_statements(context))
    assert spend(alice.server) == COST


def test_a_repeated_call_is_paid_once(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET)
    openai.always(ANSWER)
    for _ in range(3):
        require_ok(alice.post({"question_text": "What is ORS?"}, headers={"Idempotency-Key": "a-key"}))
    assert (spend(alice.server), reserved(alice.server)) == (COST, NOTHING)


def _ask(organization: TestOrganization, openai: OpenAIStandIn, behaviour: Behaviour) -> httpx2.Response:
    openai.will(behaviour)
    return organization.ask()


@pytest.mark.parametrize("mode", ["sync", "async", "auto"])
def test_a_refused_call_leaves_the_sum_of_its_month(
    server: RunningServer, glific: GlificStandIn, openai: OpenAIStandIn, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refused call would otherwise add up the month again, in a transaction for which all other calls wait."""
    monkeypatch.setattr(budget, "_begun_months", set())
    alice = create_connected_organization(server, glific)
    openai.always(ANSWER)
    require_ok(alice.ask())
    alice.change(monthly_budget_usd=COST)
    assert get_code(alice.ask_deferred(mode)) == "budget_exceeded"
    assert spend(server) == COST


def test_the_sum_of_a_month_delays_no_other_organization(
    alice: TestOrganization, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    added_up, may_end = Event(), Event()

    def add_up(*_: object) -> MonthlySpend:
        added_up.set()
        assert may_end.wait(20)
        return MonthlySpend(organization_id=1, month=f"{now():%Y-%m}", usd=NOTHING)

    monkeypatch.setattr(budget, "_begun_months", set())
    monkeypatch.setattr(budget, "_first_row", add_up)
    alice.change(monthly_budget_usd=Decimal(5))
    bob.change(contact_daily_limit=100)
    with ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(alice.ask) for _ in range(8)]
        assert added_up.wait(20)
        for _ in range(3):
            require_ok(bob.ask())
        assert {get_code(reply.result()) for reply in replies} == {"overloaded"}
        may_end.set()
    monkeypatch.undo()
    require_ok(alice.ask())
