"""Alerts: conditions of an organization that need attention now. The presenters add the texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.orm import Session

from glific_gpt.clock import now
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage import alert_facts
from glific_gpt.usage.alert_facts import Outcomes
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
    """The budget is used up, or what is left of it has not paid for a call."""
    BUDGET_NEARLY_USED = "budget_nearly_used"
    MANY_FAILURES = "many_failures"
    NOT_DELIVERED = "not_delivered"
    FAILING_NOW = "failing_now"
    """Many calls have failed in the last quarter of an hour. People are told at once."""
    GLIFIC_REFUSED = "glific_refused"
    """Glific did not accept the last answer. NOT_DELIVERED counts all such answers of the day."""
    MODEL_RETIRED = "model_retired"
    """OpenAI does not offer a model any more that has answered before."""


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
    model: str | None = None
    """For MODEL_RETIRED."""

    @property
    def is_urgent(self) -> bool:
        """True if no call can be answered until it is over."""
        return self.code not in LESS_URGENT or (0 < self.calls == self.failures)


LESS_URGENT = {
    AlertCode.BUDGET_NEARLY_USED,
    AlertCode.MANY_FAILURES,
    AlertCode.NOT_DELIVERED,
    AlertCode.FAILING_NOW,
    AlertCode.GLIFIC_REFUSED,
    AlertCode.MODEL_RETIRED,
}


KEY_ALERTS = {
    KeyState.MISSING: AlertCode.KEY_MISSING,
    KeyState.INACTIVE: AlertCode.KEY_OFF,
    KeyState.REFUSED: AlertCode.KEY_REFUSED,
    KeyState.OUT_OF_CREDIT: AlertCode.OUT_OF_CREDIT,
}


class Subject(NamedTuple):
    """An organization with its key, and the value of `last_key_result` for it."""

    organization: Organization
    credential: Credential | None
    last_key_result: str | None


@dataclass(frozen=True)
class _Facts:
    """Facts of all subjects, by organization id."""

    outcomes: Mapping[int, Outcomes]
    undelivered: Mapping[int, int]
    spent: Mapping[int, Decimal]
    refused: set[int]


def list_alerts(session: Session, organization: Organization, credential: Credential | None) -> list[Alert]:
    """Return the organization's alerts, the most urgent first."""
    subject = Subject(organization, credential, find_last_result(session, credential))
    return find_alerts(session, [subject])[organization.id]


def find_alerts(session: Session, subjects: Sequence[Subject]) -> dict[int, list[Alert]]:
    """Return the alerts of each organization, the most urgent first. The number of queries is always the same.

    It reads the calls of a day.
    """
    ids = [subject.organization.id for subject in subjects]
    with_budget = [row.id for row, *_ in subjects if row.monthly_budget_usd is not None]
    last_day = now() - DAY
    facts = _Facts(
        alert_facts.count_outcomes(session, ids, last_day),
        alert_facts.count_undelivered(session, ids, last_day),
        alert_facts.read_spending(session, with_budget),
        alert_facts.find_refused(session, with_budget, last_day),
    )
    return {subject.organization.id: _sort(_alerts_of(subject, facts)) for subject in subjects}


def find_lasting_alerts(session: Session, subjects: Sequence[Subject], refused: set[int]) -> dict[int, list[Alert]]:
    """Return the alerts of each organization that do not need the calls of a day.

    `refused` are the organizations whose budget refuses calls.
    """
    with_budget = [row.id for row, *_ in subjects if row.monthly_budget_usd is not None]
    facts = _Facts({}, {}, alert_facts.read_spending(session, with_budget), refused)
    return {subject.organization.id: _sort(_alerts_of(subject, facts)) for subject in subjects}


def _sort(alerts: Iterator[Alert]) -> list[Alert]:
    urgency = list(AlertCode)
    return sorted(alerts, key=lambda alert: urgency.index(alert.code))


def _alerts_of(subject: Subject, facts: _Facts) -> Iterator[Alert]:
    organization = subject.organization
    yield from _switch_alerts(organization)
    state = determine_key_state(subject.credential, subject.last_key_result)
    if state in KEY_ALERTS:
        yield Alert(KEY_ALERTS[state])
    yield from _budget_alerts(organization, facts)
    yield from _failure_alerts(facts.outcomes.get(organization.id))
    if answers := facts.undelivered.get(organization.id):
        yield Alert(AlertCode.NOT_DELIVERED, answers=answers)


def _switch_alerts(organization: Organization) -> Iterator[Alert]:
    if not organization.is_active:
        yield Alert(AlertCode.ORGANIZATION_OFF)
    if organization.require_signature and organization.signature_phrase is None:
        yield Alert(AlertCode.PHRASE_MISSING)


def _budget_alerts(organization: Organization, facts: _Facts) -> Iterator[Alert]:
    limit = organization.monthly_budget_usd
    if limit is None:
        return
    spent = facts.spent[organization.id]
    if spent >= limit or organization.id in facts.refused:
        yield Alert(AlertCode.BUDGET_USED, spent_usd=spent, budget_usd=limit)
    elif spent >= limit * BUDGET_WARNING_SHARE:
        yield Alert(AlertCode.BUDGET_NEARLY_USED, spent_usd=spent, budget_usd=limit)


def _failure_alerts(outcomes: Outcomes | None) -> Iterator[Alert]:
    if outcomes is None or outcomes.calls < MIN_CALLS_FOR_FAILURE_ALERT:
        return
    if outcomes.failures > outcomes.calls * FAILURE_ALERT_SHARE:
        yield Alert(
            AlertCode.MANY_FAILURES,
            calls=outcomes.calls,
            failures=outcomes.failures,
            error_code=outcomes.error_code,
        )
