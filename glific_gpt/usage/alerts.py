"""What needs an organization's attention now: facts, for which others find the sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, Delivery
from glific_gpt.calls.timeline import FAILED_DELIVERY_STATES
from glific_gpt.clock import now
from glific_gpt.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage import totals
from glific_gpt.usage.key_status import KeyState, determine_key_state, last_key_result
from glific_gpt.usage.totals import FAILED_STATUSES, FAILURE_CODE

DAY = timedelta(days=1)

BUDGET_WARNING_SHARE = Decimal("0.8")
"""The part of a budget from which on it is nearly used."""

FAILURE_ALERT_SHARE = 0.2
MIN_CALLS_FOR_FAILURE_ALERT = 5
"""More than this part of the calls of a day is many failures, if there were at least so many calls."""


class AlertCode(StrEnum):
    """What may be needed, the most pressing first."""

    ORGANIZATION_OFF = "organization_off"
    KEY_MISSING = "key_missing"
    KEY_OFF = "key_off"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDIT = "out_of_credit"
    PHRASE_MISSING = "phrase_missing"
    """Signatures are required, and there is no phrase to check them with: nobody is let in."""
    BUDGET_USED = "budget_used"
    BUDGET_NEARLY_USED = "budget_nearly_used"
    MANY_FAILURES = "many_failures"
    NOT_DELIVERED = "not_delivered"


@dataclass(frozen=True)
class Alert:
    """One thing that is needed, with its facts."""

    code: AlertCode
    spent_usd: Decimal | None = None
    """For the budget: spent in this month."""
    budget_usd: Decimal | None = None
    calls: int = 0
    """For failures: the calls of the last 24 hours that have ended."""
    failures: int = 0
    error_code: str | None = None
    """For failures: the most frequent one."""
    answers: int = 0
    """For deliveries: how many answers did not reach their flow in the last 24 hours, or may not have."""


KEY_ALERTS = {
    KeyState.MISSING: AlertCode.KEY_MISSING,
    KeyState.INACTIVE: AlertCode.KEY_OFF,
    KeyState.REFUSED: AlertCode.KEY_REFUSED,
    KeyState.OUT_OF_CREDIT: AlertCode.OUT_OF_CREDIT,
}


def list_alerts(session: Session, organization: Organization, credential: Credential | None) -> list[Alert]:
    """The most pressing first; an empty list when all is well."""
    found = [
        *_switches(organization),
        *_key(session, credential),
        *_budget(session, organization),
        *_failures(session, organization.id),
        *_deliveries(session, organization.id),
    ]
    return sorted(found, key=lambda need: list(AlertCode).index(need.code))


def _switches(organization: Organization) -> Iterator[Alert]:
    if not organization.is_active:
        yield Alert(AlertCode.ORGANIZATION_OFF)
    if organization.require_signature and organization.signature_phrase is None:
        yield Alert(AlertCode.PHRASE_MISSING)


def _key(session: Session, credential: Credential | None) -> Iterator[Alert]:
    word = session.scalar(last_key_result(credential.organization_id, credential.updated_at)) if credential else None
    state = determine_key_state(credential, word)
    if state in KEY_ALERTS:
        yield Alert(KEY_ALERTS[state])


def _budget(session: Session, organization: Organization) -> Iterator[Alert]:
    limit = organization.monthly_budget_usd
    if limit is None:
        return
    spent = totals.spent_this_month(session, organization)
    if spent >= limit:
        yield Alert(AlertCode.BUDGET_USED, spent_usd=spent, budget_usd=limit)
    elif spent >= limit * BUDGET_WARNING_SHARE:
        yield Alert(AlertCode.BUDGET_NEARLY_USED, spent_usd=spent, budget_usd=limit)


def _failures(session: Session, organization_id: int) -> Iterator[Alert]:
    query = (
        select(FAILURE_CODE, func.count())
        .where(Call.organization_id == organization_id, Call.started_at >= now() - DAY)
        .where(Call.status.in_(("ok", *FAILED_STATUSES)))
        .group_by(FAILURE_CODE)
        .order_by(func.count().desc(), FAILURE_CODE)
    )
    ended = session.execute(query).all()
    codes = [(code, count) for code, count in ended if code]
    calls, failures = sum(count for _, count in ended), sum(count for _, count in codes)
    if calls >= MIN_CALLS_FOR_FAILURE_ALERT and failures > calls * FAILURE_ALERT_SHARE:
        yield Alert(AlertCode.MANY_FAILURES, calls=calls, failures=failures, error_code=codes[0][0])


def _deliveries(session: Session, organization_id: int) -> Iterator[Alert]:
    lost = (Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at >= now() - DAY)
    answers = session.scalar(select(func.count()).where(Delivery.organization_id == organization_id, *lost))
    if answers:
        yield Alert(AlertCode.NOT_DELIVERED, answers=answers)
