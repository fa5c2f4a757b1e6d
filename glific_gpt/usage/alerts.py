"""Alerts: conditions of an organization that need attention now. The presenters add the texts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import FAILED_STATUSES, FAILURE_CODE
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage import totals
from glific_gpt.usage.key_status import KeyState, determine_key_state, find_last_result

DAY = timedelta(days=1)

BUDGET_WARNING_SHARE = Decimal("0.8")
"""Share of a budget above which an alert is raised before the budget is used up."""

FAILURE_ALERT_SHARE = 0.2
"""An alert is raised if more than this share of a day's calls failed."""
MIN_CALLS_FOR_FAILURE_ALERT = 5
"""The share of failures means little for fewer calls a day."""


class AlertCode(StrEnum):
    """Kinds of alerts, the most urgent first."""

    ORGANIZATION_OFF = "organization_off"
    KEY_MISSING = "key_missing"
    KEY_OFF = "key_off"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDIT = "out_of_credit"
    PHRASE_MISSING = "phrase_missing"
    """Signatures are required but no phrase is set, so every call is refused."""
    BUDGET_USED = "budget_used"
    BUDGET_NEARLY_USED = "budget_nearly_used"
    MANY_FAILURES = "many_failures"
    NOT_DELIVERED = "not_delivered"


@dataclass(frozen=True)
class Alert:
    """One alert, with the values that its text needs."""

    code: AlertCode
    spent_usd: Decimal | None = None
    """For budget alerts: spent in this month."""
    budget_usd: Decimal | None = None
    calls: int = 0
    """For MANY_FAILURES: finished calls of the last 24 hours."""
    failures: int = 0
    error_code: str | None = None
    """For MANY_FAILURES: the most frequent code."""
    answers: int = 0
    """For NOT_DELIVERED: answers of the last 24 hours that did not, or may not have, reached their flow."""


KEY_ALERTS = {
    KeyState.MISSING: AlertCode.KEY_MISSING,
    KeyState.INACTIVE: AlertCode.KEY_OFF,
    KeyState.REFUSED: AlertCode.KEY_REFUSED,
    KeyState.OUT_OF_CREDIT: AlertCode.OUT_OF_CREDIT,
}


def list_alerts(session: Session, organization: Organization, credential: Credential | None) -> list[Alert]:
    """Return the organization's alerts, the most urgent first."""
    alerts = [
        *_switch_alerts(organization),
        *_key_alerts(session, credential),
        *_budget_alerts(session, organization),
        *_failure_alerts(session, organization.id),
        *_delivery_alerts(session, organization.id),
    ]
    urgency = list(AlertCode)
    return sorted(alerts, key=lambda alert: urgency.index(alert.code))


def _switch_alerts(organization: Organization) -> Iterator[Alert]:
    if not organization.is_active:
        yield Alert(AlertCode.ORGANIZATION_OFF)
    if organization.require_signature and organization.signature_phrase is None:
        yield Alert(AlertCode.PHRASE_MISSING)


def _key_alerts(session: Session, credential: Credential | None) -> Iterator[Alert]:
    result = find_last_result(session, credential)
    state = determine_key_state(credential, result)
    if state in KEY_ALERTS:
        yield Alert(KEY_ALERTS[state])


def _budget_alerts(session: Session, organization: Organization) -> Iterator[Alert]:
    limit = organization.monthly_budget_usd
    if limit is None:
        return
    spent = totals.spent_this_month(session, organization)
    if spent >= limit:
        yield Alert(AlertCode.BUDGET_USED, spent_usd=spent, budget_usd=limit)
    elif spent >= limit * BUDGET_WARNING_SHARE:
        yield Alert(AlertCode.BUDGET_NEARLY_USED, spent_usd=spent, budget_usd=limit)


def _failure_alerts(session: Session, organization_id: int) -> Iterator[Alert]:
    query = (
        select(FAILURE_CODE, func.count())
        .where(Call.organization_id == organization_id, Call.started_at >= now() - DAY)
        .where(Call.status.in_(("ok", *FAILED_STATUSES)))
        .group_by(FAILURE_CODE)
        .order_by(func.count().desc(), FAILURE_CODE)
    )
    outcomes = session.execute(query).all()
    codes = [(code, count) for code, count in outcomes if code]
    calls, failures = sum(count for _, count in outcomes), sum(count for _, count in codes)
    if calls >= MIN_CALLS_FOR_FAILURE_ALERT and failures > calls * FAILURE_ALERT_SHARE:
        yield Alert(AlertCode.MANY_FAILURES, calls=calls, failures=failures, error_code=codes[0][0])


def _delivery_alerts(session: Session, organization_id: int) -> Iterator[Alert]:
    undelivered = (Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at >= now() - DAY)
    answers = session.scalar(select(func.count()).where(Delivery.organization_id == organization_id, *undelivered))
    if answers:
        yield Alert(AlertCode.NOT_DELIVERED, answers=answers)
