"""Costs that count against a budget: the month of a call, possible charges, and earlier spending."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from glific_gpt.database import db, transaction
from tests.conftest import StartServer
from tests.support import openai_behaviours as behaviours
from tests.support.network_faults import dropping_listener
from tests.support.openai_behaviours import answer, never_respond, wrong_shape
from tests.support.openai_exchange import Exchange
from tests.support.openai_shapes import ModelOutput, build_body
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import requires_linux
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.both_databases

TOKENS_FOR_A_CENT = 1000
"""With gpt-4o: 10 dollars for a million output tokens."""
A_CENT = answer("A long answer.", input_tokens=20, output_tokens=TOKENS_FOR_A_CENT)

BUDGET_FOR_ONE_CALL = Decimal("0.0104")
"""For TOKENS_FOR_A_CENT and the question."""
END_OF_JANUARY = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
START_OF_FEBRUARY = datetime(2026, 2, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def get_spend_by_month(organization: TestOrganization) -> dict[str, float]:
    """Return the spending in US dollars by month."""
    table = db.metadata.tables["monthly_spend"]
    with organization.server.app.app_context(), transaction() as session:
        return {month: float(usd) for month, usd in session.execute(select(table.c.month, table.c.usd))}


def test_a_call_is_charged_to_the_month_in_which_it_began(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    with time_machine.travel(END_OF_JANUARY) as clock:

        def pass_midnight(exchange: Any) -> None:
            clock.move_to(START_OF_FEBRUARY)
            require_ok(alice.ask())  # This call starts in February.
            answer(output_tokens=100)(exchange)

        openai.will(pass_midnight, A_CENT)
        require_ok(alice.ask())
        february_cost, january_cost = (call["cost_usd"] for call in alice.calls())
    assert january_cost < february_cost
    assert get_spend_by_month(alice) == {"2026-01": january_cost, "2026-02": february_cost}


def cached_answer(exchange: Exchange) -> None:
    """Answer a question whose input was in OpenAI's cache, except for 24 tokens."""
    body = build_body(exchange, ModelOutput("A short answer.", input_tokens=4000, output_tokens=100))
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 3976}
    body["usage"]["completion_tokens_details"] = {"reasoning_tokens": 60}
    exchange.send_json(200, body)


def test_cached_input_and_reasoning_cost_what_openai_charges(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    openai.always(cached_answer)
    require_ok(alice.ask(gpt_model="gpt-5"))
    # 24 tokens at $1.25 and 3,976 at $0.125 for a million, and 100 at $10, of which 60 are reasoning.
    cost = 24 * 1.25e-6 + 3976 * 0.125e-6 + 100 * 10e-6
    assert alice.calls()[0]["cost_usd"] == pytest.approx(cost, abs=1e-9)
    assert list(get_spend_by_month(alice).values()) == [pytest.approx(cost, abs=1e-9)]


@pytest.mark.parametrize("counts", [(None, None), (10, None), (None, 10)], ids=["none", "input", "output"])
def test_a_call_whose_tokens_are_unknown_spends_the_reserved_amount(
    alice: TestOrganization, openai: OpenAIStandIn, counts: tuple[int | None, int | None]
) -> None:
    alice.change(monthly_budget_usd=BUDGET_FOR_ONE_CALL)

    def answer_without_counts(exchange: Exchange) -> None:
        body = build_body(exchange, ModelOutput("An answer."))
        exchange.send_json(200, body | {"usage": {"prompt_tokens": counts[0], "completion_tokens": counts[1]}})

    openai.always(answer_without_counts)
    require_ok(alice.ask(max_tokens=TOKENS_FOR_A_CENT))
    (call,) = alice.calls()
    assert (call["input_tokens"], call["output_tokens"], call["cost_usd"]) == (None, None, None)
    assert next(iter(get_spend_by_month(alice).values())) > 0.01


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (never_respond(), "deadline_exceeded"),
        (wrong_shape(), "bad_upstream_reply"),
        (behaviours.send_html(200), "bad_upstream_reply"),
        (behaviours.truncate_body(), "bad_upstream_reply"),
    ],
    ids=["late", "wrong shape", "no JSON", "half"],
)
def test_a_possible_charge_stays_reserved(
    start_server: StartServer, openai: OpenAIStandIn, behaviour: behaviours.Behaviour, code: str
) -> None:
    settings: dict[str, Any] = {"deadline_seconds": 2} if code == "deadline_exceeded" else {}
    alice = start_server(**settings).add_organization("alice", monthly_budget_usd=BUDGET_FOR_ONE_CALL)
    openai.will(behaviour)
    require_error(alice.ask(max_tokens=TOKENS_FOR_A_CENT), code)
    require_error(alice.ask(), "budget_exceeded")


@pytest.mark.parametrize(
    "behaviour",
    [
        behaviours.out_of_credit(),
        behaviours.refuse_key(),
        behaviours.unknown_model(),
        behaviours.too_long(),
        behaviours.server_error(400),
    ],
    ids=["credit", "key", "model", "length", "unknown"],
)
def test_a_refused_call_releases_its_reservation(
    alice: TestOrganization, openai: OpenAIStandIn, behaviour: behaviours.Behaviour
) -> None:
    alice.change(monthly_budget_usd=BUDGET_FOR_ONE_CALL)
    openai.always(behaviour)
    assert alice.ask().status_code != 200
    assert list(get_spend_by_month(alice).values()) == [0]
    openai.always(behaviours.answer())
    require_ok(alice.ask())


@requires_linux
def test_a_call_that_could_not_connect_in_time_releases_its_reservation(start_server: StartServer) -> None:
    with dropping_listener("127.0.0.1") as listener:
        server = start_server(openai_base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", deadline_seconds=1)
        alice = server.add_organization("alice", monthly_budget_usd=BUDGET_FOR_ONE_CALL)
        require_error(alice.ask(max_tokens=TOKENS_FOR_A_CENT), "deadline_exceeded")
    assert list(get_spend_by_month(alice).values()) == [0]


def test_a_call_that_meets_a_closed_connection_costs_what_its_answer_costs(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    openai.will(answer())
    require_ok(alice.ask())
    openai.will(behaviours.close_connection(), answer())
    require_ok(alice.ask())
    costs = [call["cost_usd"] for call in alice.calls()]
    assert list(get_spend_by_month(alice).values()) == [pytest.approx(sum(costs))]


def test_a_model_without_a_price_is_charged_as_the_requested_model(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(monthly_budget_usd=BUDGET_FOR_ONE_CALL)
    choice = {"message": {"role": "assistant", "content": "Salt."}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1000, "completion_tokens": 500}
    openai.will(wrong_shape({"model": "gpt-99-nova", "choices": [choice], "usage": usage}))
    assert alice.ask(gpt_model="gpt-4o").json()["model"] == "gpt-99-nova"
    assert alice.calls()[0]["cost_usd"] == 0.0075
    assert list(get_spend_by_month(alice).values()) == [0.0075]


def test_a_budget_that_is_set_again_includes_the_spending_in_between(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(A_CENT)
    alice.change(monthly_budget_usd=Decimal("0.02"))
    require_ok(alice.ask(max_tokens=TOKENS_FOR_A_CENT))
    alice.change(monthly_budget_usd=None)
    require_ok(alice.ask())
    alice.change(monthly_budget_usd=Decimal("0.02"))
    require_error(alice.ask(), "budget_exceeded")


def test_a_changed_budget_keeps_its_reservations(start_server: StartServer, openai: OpenAIStandIn) -> None:
    alice = start_server(deadline_seconds=2).add_organization("alice", monthly_budget_usd=BUDGET_FOR_ONE_CALL)
    openai.will(never_respond())
    require_error(alice.ask(max_tokens=TOKENS_FOR_A_CENT), "deadline_exceeded")
    alice.change(monthly_budget_usd=BUDGET_FOR_ONE_CALL + Decimal("0.0001"))
    assert get_code(alice.ask()) == "budget_exceeded"


def test_a_reply_without_usage_spends_the_reserved_amount(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=BUDGET_FOR_ONE_CALL)
    openai.will(answer("Salt.", usage=False))
    require_ok(alice.ask(max_tokens=TOKENS_FOR_A_CENT))
    require_error(alice.ask(), "budget_exceeded")
