"""Alerts: each is raised while its condition holds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.organizations.tables import MonthlySpend, Organization
from glific_gpt.usage.alerts import Alert, AlertCode, list_alerts
from tests.support.call_records import create_call, create_delivery
from tests.support.openai_behaviours import answer, out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.usage.reading import read_usage

HOUR = timedelta(hours=1)


def alerts_of(organization: TestOrganization) -> list[Alert]:
    return read_usage(organization, list_alerts)


def codes_of(organization: TestOrganization) -> list[AlertCode]:
    return [alert.code for alert in alerts_of(organization)]


def test_a_working_organization_has_no_alerts(alice: TestOrganization) -> None:
    assert codes_of(alice) == []
    alice.ask()
    assert codes_of(alice) == []


def test_a_missing_or_inactive_key_raises_an_alert(server: RunningServer, alice: TestOrganization) -> None:
    assert codes_of(server.add_organization("keyless", key="")) == [AlertCode.KEY_MISSING]
    alice.switch_key(on=False)
    assert codes_of(alice) == [AlertCode.KEY_OFF]
    alice.switch_key(on=True)
    assert codes_of(alice) == []


def test_the_most_urgent_alert_comes_first(server: RunningServer) -> None:
    off = server.add_organization("off", key="", is_active=False, require_signature=True)
    assert codes_of(off) == [AlertCode.ORGANIZATION_OFF, AlertCode.KEY_MISSING, AlertCode.PHRASE_MISSING]


def test_required_signatures_without_a_phrase_raise_an_alert(alice: TestOrganization) -> None:
    alice.change(require_signature=True)
    assert codes_of(alice) == [AlertCode.PHRASE_MISSING]
    alice.set_phrase("a phrase that nobody guesses")
    assert codes_of(alice) == []


def test_out_of_credit_lasts_until_openai_answers_again(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.will(out_of_credit(), answer())
    alice.ask()
    assert codes_of(alice) == [AlertCode.OUT_OF_CREDIT]
    alice.ask("")  # an error of the caller says nothing about the key
    assert codes_of(alice) == [AlertCode.OUT_OF_CREDIT]
    alice.ask()
    assert codes_of(alice) == []


def test_a_refused_key_raises_an_alert_until_another_is_saved(alice: TestOrganization) -> None:
    create_call(alice)
    create_call(alice, "error", error_code="invalid_api_key")
    assert codes_of(alice) == [AlertCode.KEY_REFUSED]
    alice.set_key("sk-proj-another-0123456789-anot")
    assert codes_of(alice) == []


def test_the_error_of_a_pending_call_counts(alice: TestOrganization) -> None:
    create_call(alice, "pending", error_code="insufficient_quota")
    assert codes_of(alice) == [AlertCode.OUT_OF_CREDIT]


def test_an_undelivered_answer_shows_that_the_key_works(alice: TestOrganization) -> None:
    create_call(alice, "error", error_code="insufficient_quota")
    create_call(alice, "error", error_code="undelivered", model_used="gpt-4o-2024-08-06")
    assert codes_of(alice) == []


def test_an_error_of_the_key_is_ignored_after_a_month(alice: TestOrganization) -> None:
    create_call(alice, "error", error_code="insufficient_quota")
    with time_machine.travel(now() + timedelta(days=29)):
        assert codes_of(alice) == [AlertCode.OUT_OF_CREDIT]
    with time_machine.travel(now() + timedelta(days=31)):
        assert codes_of(alice) == []


@pytest.mark.parametrize(
    ("spent", "code"),
    [("0.79", None), ("0.8", AlertCode.BUDGET_NEARLY_USED), ("0.99", AlertCode.BUDGET_NEARLY_USED)]
    + [(usd, AlertCode.BUDGET_USED) for usd in ("1", "1.2")],
)
def test_a_budget_is_nearly_used_up_from_four_fifths_on(
    alice: TestOrganization, spent: str, code: AlertCode | None
) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    create_call(alice, cost_usd=Decimal(spent))
    expected = [] if code is None else [Alert(code, spent_usd=Decimal(spent), budget_usd=Decimal(1))]
    assert alerts_of(alice) == expected


def test_a_budget_of_zero_is_used_up(alice: TestOrganization) -> None:
    alice.change(monthly_budget_usd=Decimal(0))
    assert codes_of(alice) == [AlertCode.BUDGET_USED]


def test_a_refused_call_shows_that_the_budget_is_used_up(alice: TestOrganization) -> None:
    alice.change(monthly_budget_usd=Decimal("0.001"))
    assert alice.ask("a long question " * 100).json()["error_code"] == "budget_exceeded"
    assert codes_of(alice) == [AlertCode.BUDGET_USED]
    alice.ask("Hi", gpt_model="gpt-4o-mini")  # a cheap question is still answered
    assert codes_of(alice) == [AlertCode.BUDGET_USED]
    alice.change(name="Alice")
    assert codes_of(alice) == [AlertCode.BUDGET_USED]
    alice.change(monthly_budget_usd=Decimal(1))
    assert codes_of(alice) == []


def test_a_model_without_a_price_does_not_use_up_the_budget(alice: TestOrganization) -> None:
    alice.change(monthly_budget_usd=Decimal(1))
    assert alice.ask(gpt_model="gpt-99").json()["error_code"] == "budget_exceeded"
    assert codes_of(alice) == []


def test_a_budget_restarts_with_the_month(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    january = datetime(2026, 1, 31, 12, tzinfo=UTC)
    openai.always(answer(input_tokens=20, output_tokens=1000))
    with time_machine.travel(january):
        alice.change(monthly_budget_usd=Decimal("0.0125"))
        alice.ask(gpt_model="gpt-4o")
        (alert,) = alerts_of(alice)
        assert (alert.code, alert.spent_usd) == (AlertCode.BUDGET_NEARLY_USED, Decimal("0.01005"))
    with time_machine.travel(january + timedelta(days=1)):
        assert codes_of(alice) == []


def test_amounts_reserved_for_calls_in_flight_count_as_spent(alice: TestOrganization) -> None:
    def reserve(session: Session, organization: Organization, _key: object) -> None:
        session.add(MonthlySpend(organization_id=organization.id, month=f"{now():%Y-%m}", usd=Decimal("0.9")))

    alice.change(monthly_budget_usd=Decimal(1))
    create_call(alice, cost_usd=Decimal("0.1"))
    read_usage(alice, reserve)
    assert [alert.spent_usd for alert in alerts_of(alice)] == [Decimal("0.9")]


def test_no_budget_raises_no_alert(alice: TestOrganization) -> None:
    create_call(alice, cost_usd=Decimal(1000))
    assert codes_of(alice) == []


def test_more_than_a_fifth_of_failures_raises_an_alert(alice: TestOrganization) -> None:
    for _ in range(8):
        create_call(alice)
    for code in ("rate_limited", "deadline_exceeded"):
        create_call(alice, "error", error_code=code)
    assert codes_of(alice) == []  # two of ten
    create_call(alice, "error", error_code="rate_limited")
    assert alerts_of(alice) == [Alert(AlertCode.MANY_FAILURES, calls=11, failures=3, error_code="rate_limited")]


def test_failures_of_fewer_than_five_calls_raise_no_alert(alice: TestOrganization) -> None:
    for _ in range(4):
        create_call(alice, "interrupted")
        create_call(alice, "started")  # has no outcome yet
    assert codes_of(alice) == []
    create_call(alice, "interrupted")
    (alert,) = alerts_of(alice)
    assert alert == Alert(AlertCode.MANY_FAILURES, calls=5, failures=5, error_code="interrupted")
    assert alert.is_urgent
    create_call(alice)
    assert not alerts_of(alice)[0].is_urgent


def test_failures_older_than_a_day_raise_no_alert(alice: TestOrganization) -> None:
    yesterday = now() - 25 * HOUR
    for _ in range(5):
        create_call(alice, "error", at=yesterday, error_code="rate_limited")
    create_delivery(alice, "undelivered", at=yesterday, ended_at=yesterday)
    assert codes_of(alice) == []


def test_undelivered_answers_are_counted(alice: TestOrganization) -> None:
    for state in ("undelivered", "uncertain", "delivered", "waiting"):
        create_delivery(alice, state)
    assert alerts_of(alice) == [Alert(AlertCode.NOT_DELIVERED, answers=2)]


def test_alerts_ignore_other_organizations(alice: TestOrganization, bob: TestOrganization) -> None:
    for organization in (alice, bob):
        organization.change(monthly_budget_usd=Decimal(1))
    create_delivery(bob, "undelivered")
    for _ in range(5):
        create_call(bob, "error", error_code="insufficient_quota", cost_usd=Decimal(1))
    assert codes_of(alice) == []
    assert codes_of(bob) == [
        AlertCode.OUT_OF_CREDIT,
        AlertCode.BUDGET_USED,
        AlertCode.MANY_FAILURES,
        AlertCode.NOT_DELIVERED,
    ]
