"""Status of every organization, for administrators: its key, its worst alert, its last call, and its last day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, and_, case, func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.daily_totals import FAILED_STATUSES
from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.clock import now
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage.alerts import Alert, AlertCode, Subject, find_alerts
from glific_gpt.usage.key_status import KeyState, determine_key_state, last_key_result

DAY = timedelta(days=1)
BEFORE_SET_UP = {AlertCode.KEY_MISSING, AlertCode.KEY_OFF}
"""Nothing is broken: the key was not added yet, or somebody switched it off."""


@dataclass(frozen=True)
class OrganizationStatus:
    """Status of one organization."""

    slug: str
    name: str
    is_active: bool
    key: KeyState
    alert: Alert | None
    """The worst alert. None for an organization that is switched off."""
    last_call_at: datetime | None
    calls: int
    """Calls of the last 24 hours."""
    failures: int
    """Failed calls of the last 24 hours."""

    @property
    def is_serious(self) -> bool:
        return self.alert is not None and is_serious(self.alert)


def is_serious(alert: Alert) -> bool:
    """Return True if no call can be answered, although somebody set the organization up."""
    return alert.is_urgent and alert.code not in BEFORE_SET_UP


def sort_key(alert: Alert | None) -> tuple[bool, bool, int]:
    """Return the key that sorts alerts, the worst first, and None last."""
    if alert is None:
        return True, True, 0
    return False, not is_serious(alert), list(AlertCode).index(alert.code)


def list_organization_statuses(session: Session, provider: str) -> list[OrganizationStatus]:
    """Return every organization's status, the worst alert first, then by name, with its key at that provider.

    The number of queries does not depend on the number of organizations.
    """
    last_day = _count_last_day(session)
    result = last_key_result(Organization.id, Credential.updated_at).scalar_subquery()
    own_key = and_(Credential.organization_id == Organization.id, Credential.provider == provider)
    query = select(Organization, Credential, *_last_call_columns(), result).outerjoin(Credential, own_key)
    rows = session.execute(query.order_by(func.lower(Organization.name), Organization.slug)).all()
    alerts = find_alerts(session, [Subject(row, credential, result) for row, credential, *_, result in rows])
    statuses = [
        OrganizationStatus(
            row.slug,
            row.name,
            row.is_active,
            determine_key_state(credential, result),
            min(alerts[row.id], key=sort_key, default=None) if row.is_active else None,
            max(filter(None, (last_at, last_deleted_at)), default=None),
            *last_day.get(row.id, (0, 0)),
        )
        for row, credential, last_at, last_deleted_at, result in rows
    ]
    return sorted(statuses, key=lambda status: (not status.is_active, *sort_key(status.alert)))


def _last_call_columns() -> tuple[ScalarSelect[datetime], ScalarSelect[datetime]]:
    """Return the start of the organization's last call, and that of its last deleted call."""
    calls = select(Call.started_at).where(Call.organization_id == Organization.id)
    deleted = select(func.max(DailyTotals.last_at)).where(DailyTotals.organization_id == Organization.id)
    return calls.order_by(Call.started_at.desc()).limit(1).scalar_subquery(), deleted.scalar_subquery()


def _count_last_day(session: Session) -> dict[int, tuple[int, int]]:
    """Return the numbers of calls and failures of the last 24 hours, by organization id."""
    failures = func.sum(case((Call.status.in_(FAILED_STATUSES), 1), else_=0))
    query = (
        select(Organization.id, func.count(), failures)
        .join(Call, and_(Call.organization_id == Organization.id, Call.started_at >= now() - DAY))
        .group_by(Organization.id)
    )
    return {organization_id: (calls, failed) for organization_id, calls, failed in session.execute(query)}
