"""The alerts that people are told about, as they are now."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from glific_gpt.alerts.tables import AlertState
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage import alert_facts
from glific_gpt.usage.alerts import FAILURE_ALERT_SHARE, Alert, AlertCode, Subject, find_lasting_alerts
from glific_gpt.usage.key_status import last_key_result

CurrentAlerts: TypeAlias = Mapping[AlertCode, Alert]

QUARTER_HOUR = timedelta(minutes=15)
MIN_CALLS = 10
"""The share of failures of a quarter of an hour means little for fewer calls."""
RECENT = timedelta(minutes=20)
"""An organization without a call or a delivery for so long has no new alerts. It is longer than a process is away."""
DAY = timedelta(days=1)
Finder: TypeAlias = Callable[[Session, Collection[int], datetime], set[int]]
"""Returns the organizations for which something happened since a time."""
ANNOUNCED = (
    AlertCode.KEY_REFUSED,
    AlertCode.OUT_OF_CREDIT,
    AlertCode.BUDGET_USED,
    AlertCode.BUDGET_NEARLY_USED,
    AlertCode.FAILING_NOW,
    AlertCode.GLIFIC_REFUSED,
    AlertCode.MODEL_RETIRED,
)
"""Alerts that people are told about. The others follow from settings that somebody has just changed."""


def list_candidates(session: Session) -> list[int]:
    """Return the ids of the organizations whose alerts may have changed. One index entry is read for each."""
    since = now() - RECENT
    last_call = (
        select(Call.started_at)
        .where(Call.organization_id == Organization.id)
        .order_by(Call.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    ended = select(Delivery.organization_id).where(
        Delivery.state.in_(FAILED_DELIVERY_STATES), Delivery.ended_at >= since
    )
    known = select(AlertState.organization_id).where(AlertState.organization_id.is_not(None))
    is_candidate = or_(last_call >= since, Organization.id.in_(ended), Organization.id.in_(known))
    query = select(Organization.id).where(Organization.is_active, is_candidate).order_by(Organization.id)
    return list(session.scalars(query))


def find_current(session: Session, provider: str, ids: Collection[int]) -> dict[int, CurrentAlerts]:
    """Return the announced alerts of each of these organizations. The number of queries is always the same."""
    facts = _Facts(session, set(ids))
    outcomes = alert_facts.count_outcomes(session, ids, now() - QUARTER_HOUR)
    undelivered = facts.find_organizations(alert_facts.find_refused_deliveries, AlertCode.GLIFIC_REFUSED)
    retired = facts.find_models()
    refused = facts.find_organizations(alert_facts.find_refused, AlertCode.BUDGET_USED)
    found: dict[int, CurrentAlerts] = {}
    for organization_id, lasting in find_lasting_alerts(
        session, _read_subjects(session, provider, ids), refused
    ).items():
        every = [*lasting, *_failing(outcomes.get(organization_id))]
        if organization_id in undelivered:
            every.append(Alert(AlertCode.GLIFIC_REFUSED))
        if organization_id in retired:
            every.append(Alert(AlertCode.MODEL_RETIRED, model=retired[organization_id]))
        found[organization_id] = {alert.code: alert for alert in every if alert.code in ANNOUNCED}
    return found


class _Facts:
    """Reads a day for organizations in which an alert lasts, and the last minutes for all others."""

    def __init__(self, session: Session, ids: set[int]) -> None:
        self._session, self._ids = session, ids
        lasting = (AlertState.organization_id.in_(ids), AlertState.ended_at.is_(None))
        states = session.execute(select(AlertState.code, AlertState.organization_id).where(*lasting))
        self._lasting: defaultdict[str, set[int]] = defaultdict(set)
        for code, organization_id in states:
            self._lasting[code].add(organization_id or 0)

    def find_organizations(self, find: Finder, code: AlertCode) -> set[int]:
        long, short = self._lasting[code], self._ids - self._lasting[code]
        return find(self._session, long, now() - DAY) | find(self._session, short, now() - RECENT)

    def find_models(self) -> dict[int, str]:
        long = self._lasting[AlertCode.MODEL_RETIRED]
        found = alert_facts.find_retired_models(self._session, long, now() - DAY)
        return found | alert_facts.find_retired_models(self._session, self._ids - long, now() - RECENT)


def _read_subjects(session: Session, provider: str, ids: Collection[int]) -> list[Subject]:
    result = last_key_result(Organization.id, Credential.updated_at).scalar_subquery()
    own_key = and_(Credential.organization_id == Organization.id, Credential.provider == provider)
    query = select(Organization, Credential, result).outerjoin(Credential, own_key).where(Organization.id.in_(ids))
    return [Subject(*row) for row in session.execute(query)]


def _failing(outcomes: alert_facts.Outcomes | None) -> Iterator[Alert]:
    if outcomes and outcomes.calls >= MIN_CALLS and outcomes.failures > outcomes.calls * FAILURE_ALERT_SHARE:
        yield Alert(AlertCode.FAILING_NOW, calls=outcomes.calls, failures=outcomes.failures)
