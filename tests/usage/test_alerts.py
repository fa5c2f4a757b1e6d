"""What needs an organization: it is said when it is so, and no longer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.organizations.tables import MonthlySpend, Organization
from glific_gpt.usage.alerts import Alert, AlertCode, list_alerts
from tests.support.house import House, Ngo
from tests.support.openai_behaviours import answer, out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.recorded import record, record_delivery
from tests.usage.reading import read

HOUR = timedelta(hours=1)


def found(ngo: Ngo) -> list[Alert]:
    return read(ngo, list_alerts)


def codes(ngo: Ngo) -> list[AlertCode]:
    return [need.code for need in found(ngo)]


def test_nothing_is_needed_where_all_is_well(alice: Ngo) -> None:
    assert codes(alice) == []
    alice.ask()
    assert codes(alice) == []


def test_a_key_is_needed_that_is_missing_or_switched_off(house: House, alice: Ngo) -> None:
    assert codes(house.ngo("keyless", key="")) == [AlertCode.KEY_MISSING]
    alice.switch_key(on=False)
    assert codes(alice) == [AlertCode.KEY_OFF]
    alice.switch_key(on=True)
    assert codes(alice) == []


def test_an_organization_that_is_off_comes_first(house: House) -> None:
    off = house.ngo("off", key="", is_active=False, require_signature=True)
    assert codes(off) == [AlertCode.ORGANIZATION_OFF, AlertCode.KEY_MISSING, AlertCode.PHRASE_MISSING]


def test_signatures_need_a_phrase(alice: Ngo) -> None:
    alice.change(require_signature=True)
    assert codes(alice) == [AlertCode.PHRASE_MISSING]
    alice.set_phrase("a phrase that nobody guesses")
    assert codes(alice) == []


def test_out_of_credit_lasts_until_openai_answers_again(alice: Ngo, openai: OpenAIStandIn) -> None:
    openai.will(out_of_credit(), answer())
    alice.ask()
    assert codes(alice) == [AlertCode.OUT_OF_CREDIT]
    alice.ask("")  # a mistake of the flow says nothing of the key
    assert codes(alice) == [AlertCode.OUT_OF_CREDIT]
    alice.ask()
    assert codes(alice) == []


def test_a_key_that_openai_refused_is_needed_anew_until_another_is_saved(alice: Ngo) -> None:
    record(alice)
    record(alice, "error", error_code="invalid_api_key")
    assert codes(alice) == [AlertCode.KEY_REFUSED]
    alice.set_key("sk-proj-another-0123456789-anot")
    assert codes(alice) == []


def test_what_openai_said_to_a_call_on_its_way_counts(alice: Ngo) -> None:
    record(alice, "pending", error_code="insufficient_quota")
    assert codes(alice) == [AlertCode.OUT_OF_CREDIT]


def test_an_answer_whose_flow_was_not_found_shows_that_the_key_works(alice: Ngo) -> None:
    record(alice, "error", error_code="insufficient_quota")
    record(alice, "error", error_code="undelivered", model_used="gpt-4o-2024-08-06")
    assert codes(alice) == []


def test_what_openai_said_a_month_ago_is_forgotten(alice: Ngo) -> None:
    record(alice, "error", error_code="insufficient_quota")
    with time_machine.travel(now() + timedelta(days=29)):
        assert codes(alice) == [AlertCode.OUT_OF_CREDIT]
    with time_machine.travel(now() + timedelta(days=31)):
        assert codes(alice) == []


@pytest.mark.parametrize(
    ("spent", "code"),
    [("0.79", None), ("0.8", AlertCode.BUDGET_NEARLY_USED), ("0.99", AlertCode.BUDGET_NEARLY_USED)]
    + [(usd, AlertCode.BUDGET_USED) for usd in ("1", "1.2")],
)
def test_a_budget_is_nearly_used_from_four_fifths_on(alice: Ngo, spent: str, code: AlertCode | None) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    record(alice, cost_usd=Decimal(spent))
    expected = [] if code is None else [Alert(code, spent_usd=Decimal(spent), budget_usd=Decimal(1))]
    assert found(alice) == expected


def test_a_budget_of_nothing_is_used(alice: Ngo) -> None:
    alice.change(monthly_budget_usd=Decimal(0))
    assert codes(alice) == [AlertCode.BUDGET_USED]


def test_a_budget_begins_anew_with_the_month(alice: Ngo, openai: OpenAIStandIn) -> None:
    january = datetime(2026, 1, 31, 12, tzinfo=UTC)
    openai.always(answer(input_tokens=20, output_tokens=1000))
    with time_machine.travel(january):
        alice.change(monthly_budget_usd=Decimal("0.0125"))
        alice.ask(gpt_model="gpt-4o")
        (need,) = found(alice)
        assert (need.code, need.spent_usd) == (AlertCode.BUDGET_NEARLY_USED, Decimal("0.01005"))
    with time_machine.travel(january + timedelta(days=1)):
        assert codes(alice) == []


def test_what_is_set_aside_for_calls_under_way_is_spent(alice: Ngo) -> None:
    def set_aside(session: Session, organization: Organization, _key: object) -> None:
        session.add(MonthlySpend(organization_id=organization.id, month=f"{now():%Y-%m}", usd=Decimal("0.9")))

    alice.change(monthly_budget_usd=Decimal(1))
    record(alice, cost_usd=Decimal("0.1"))
    read(alice, set_aside)
    assert [need.spent_usd for need in found(alice)] == [Decimal("0.9")]


def test_without_a_budget_nothing_is_said_of_it(alice: Ngo) -> None:
    record(alice, cost_usd=Decimal(1000))
    assert codes(alice) == []


def test_more_than_a_fifth_of_failures_are_many(alice: Ngo) -> None:
    for _ in range(8):
        record(alice)
    for code in ("rate_limited", "deadline_exceeded"):
        record(alice, "error", error_code=code)
    assert codes(alice) == []  # two of ten
    record(alice, "error", error_code="rate_limited")
    assert found(alice) == [Alert(AlertCode.MANY_FAILURES, calls=11, failures=3, error_code="rate_limited")]


def test_four_calls_are_too_few_to_say(alice: Ngo) -> None:
    for _ in range(4):
        record(alice, "interrupted")
        record(alice, "started")  # not known yet how it ends
    assert codes(alice) == []
    record(alice, "interrupted")
    assert found(alice) == [Alert(AlertCode.MANY_FAILURES, calls=5, failures=5, error_code="interrupted")]


def test_failures_and_lost_answers_of_yesterday_are_not_told(alice: Ngo) -> None:
    yesterday = now() - 25 * HOUR
    for _ in range(5):
        record(alice, "error", at=yesterday, error_code="rate_limited")
    record_delivery(alice, "undelivered", at=yesterday, ended_at=yesterday)
    assert codes(alice) == []


def test_answers_that_did_not_reach_their_flow_are_counted(alice: Ngo) -> None:
    for state in ("undelivered", "uncertain", "delivered", "waiting"):
        record_delivery(alice, state)
    assert found(alice) == [Alert(AlertCode.NOT_DELIVERED, answers=2)]


def test_what_bob_needs_is_not_told_to_alice(alice: Ngo, bob: Ngo) -> None:
    for ngo in (alice, bob):
        ngo.change(monthly_budget_usd=Decimal(1))
    record_delivery(bob, "undelivered")
    for _ in range(5):
        record(bob, "error", error_code="insufficient_quota", cost_usd=Decimal(1))
    assert codes(alice) == []
    assert codes(bob) == [
        AlertCode.OUT_OF_CREDIT,
        AlertCode.BUDGET_USED,
        AlertCode.MANY_FAILURES,
        AlertCode.NOT_DELIVERED,
    ]
