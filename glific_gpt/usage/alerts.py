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
from glific_gpt.usage.key_status import KeyState, key_state, last_word
from glific_gpt.usage.totals import FAILED, FAILURE

DAY = timedelta(days=1)

NEARLY = Decimal("0.8")
"""The part of a budget from which on it is nearly used."""

MANY = 0.2
FEW_CALLS = 5
"""More than this part of the calls of a day is many failures, if there were at least so many calls."""


class NeedCode(StrEnum):
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
class Need:
    """One thing that is needed, with its facts."""

    code: NeedCode
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


OF_THE_KEY = {
    KeyState.MISSING: NeedCode.KEY_MISSING,
    KeyState.INACTIVE: NeedCode.KEY_OFF,
    KeyState.REFUSED: NeedCode.KEY_REFUSED,
    KeyState.OUT_OF_CREDIT: NeedCode.OUT_OF_CREDIT,
}


def needs(session: Session, organization: Organization, credential: Credential | None) -> list[Need]:
    """The most pressing first; an empty list when all is well."""
    found = [
        *_switches(organization),
        *_key(session, credential),
        *_budget(session, organization),
        *_failures(session, organization.id),
        *_deliveries(session, organization.id),
    ]
    return sorted(found, key=lambda need: list(NeedCode).index(need.code))


def _switches(organization: Organization) -> Iterator[Need]:
    if not organization.is_active:
        yield Need(NeedCode.ORGANIZATION_OFF)
    if organization.require_signature and organization.signature_phrase is None:
        yield Need(NeedCode.PHRASE_MISSING)


def _key(session: Session, credential: Credential | None) -> Iterator[Need]:
    word = session.scalar(last_word(credential.organization_id, credential.updated_at)) if credential else None
    state = key_state(credential, word)
    if state in OF_THE_KEY:
        yield Need(OF_THE_KEY[state])


def _budget(session: Session, organization: Organization) -> Iterator[Need]:
    limit = organization.monthly_budget_usd
    if limit is None:
        return
    spent = totals.spent(session, organization)
    if spent >= limit:
        yield Need(NeedCode.BUDGET_USED, spent_usd=spent, budget_usd=limit)
    elif spent >= limit * NEARLY:
        yield Need(NeedCode.BUDGET_NEARLY_USED, spent_usd=spent, budget_usd=limit)


def _failures(session: Session, organization_id: int) -> Iterator[Need]:
    query = (
        select(FAILURE, func.count())
        .where(Call.organization_id == organization_id, Call.started_at >= now() - DAY)
        .where(Call.status.in_(("ok", *FAILED)))
        .group_by(FAILURE)
        .order_by(func.count().desc(), FAILURE)
    )
    ended = session.execute(query).all()
    codes = [(code, count) for code, count in ended if code]
    calls, failures = sum(count for _, count in ended), sum(count for _, count in codes)
    if calls >= FEW_CALLS and failures > calls * MANY:
        yield Need(NeedCode.MANY_FAILURES, calls=calls, failures=failures, error_code=codes[0][0])


def _deliveries(session: Session, organization_id: int) -> Iterator[Need]:
    lost = (Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at >= now() - DAY)
    answers = session.scalar(select(func.count()).where(Delivery.organization_id == organization_id, *lost))
    if answers:
        yield Need(NeedCode.NOT_DELIVERED, answers=answers)
