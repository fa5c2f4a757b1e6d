"""The alerts that people are told about, as they are now."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import TypeAlias

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from glific_gpt.alerts.tables import AlertState
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, Call, Delivery
from glific_gpt.clock import now
from glific_gpt.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage import alert_facts
from glific_gpt.usage.alerts import FAILURE_ALERT_SHARE, Alert, AlertCode, Subject, find_alerts
from glific_gpt.usage.key_status import last_key_result

CurrentAlerts: TypeAlias = Mapping[AlertCode, Alert]

QUARTER_HOUR = timedelta(minutes=15)
MIN_CALLS = 10
"""The share of failures of a quarter of an hour means little for fewer calls."""
RECENT = timedelta(minutes=20)
"""An organization without a call or a delivery for so long has no new alerts. It is longer than a process is away."""
DELIVERY_PERIOD = timedelta(days=1)
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
    result = last_key_result(Organization.id, Credential.updated_at).scalar_subquery()
    own_key = and_(Credential.organization_id == Organization.id, Credential.provider == provider)
    query = select(Organization, Credential, result).outerjoin(Credential, own_key).where(Organization.id.in_(ids))
    alerts = find_alerts(session, [Subject(*row) for row in session.execute(query)])
    outcomes = alert_facts.count_outcomes(session, ids, now() - QUARTER_HOUR)
    undelivered = alert_facts.find_refused_deliveries(session, ids, now() - DELIVERY_PERIOD)
    retired = alert_facts.find_retired_models(session, ids)
    found: dict[int, CurrentAlerts] = {}
    for organization_id, of_organization in alerts.items():
        every = [*of_organization, *_failing(outcomes.get(organization_id))]
        if organization_id in undelivered:
            every.append(Alert(AlertCode.GLIFIC_REFUSED))
        if organization_id in retired:
            every.append(Alert(AlertCode.MODEL_RETIRED, model=retired[organization_id]))
        found[organization_id] = {alert.code: alert for alert in every if alert.code in ANNOUNCED}
    return found


def _failing(outcomes: alert_facts.Outcomes | None) -> Iterator[Alert]:
    if outcomes and outcomes.calls >= MIN_CALLS and outcomes.failures > outcomes.calls * FAILURE_ALERT_SHARE:
        yield Alert(AlertCode.FAILING_NOW, calls=outcomes.calls, failures=outcomes.failures)
