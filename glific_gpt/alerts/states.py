"""States of alerts: each beginning and each end is announced once, and an organization gets one e-mail an hour."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.alerts.conditions import CurrentAlerts
from glific_gpt.alerts.tables import LAST_CHECK, AlertState
from glific_gpt.clock import now
from glific_gpt.database import lock_name
from glific_gpt.usage.alerts import Alert, AlertCode

LOCK = "glific_gpt:alerts"
CHECK_INTERVAL = timedelta(seconds=50)
"""Processes check once a minute each. The check of one of them is enough."""
MAIL_INTERVAL = timedelta(hours=1)
INSTEAD = {
    AlertCode.FAILING_NOW: AlertCode.MANY_FAILURES,
    AlertCode.GLIFIC_REFUSED: AlertCode.NOT_DELIVERED,
    AlertCode.MODEL_RETIRED: None,
}
"""Alerts that pages do not find themselves, with the one that says the same about a day."""
GIVE_UP_AFTER = timedelta(hours=6)
"""The end of an alert that could not be posted for so long is not posted any more."""


@dataclass
class Announcement:
    """News about the alerts of one organization."""

    organization_id: int
    begun: list[Alert] = field(default_factory=list)
    over: list[AlertCode] = field(default_factory=list)
    rows: list[AlertState] = field(default_factory=list)
    """The rows of these alerts. Those that are not listed are announced by a more serious one."""

    def __bool__(self) -> bool:
        return bool(self.begun or self.over)


def claim_check(session: Session) -> bool:
    """Return whether this process has to check now, because none has done so within the last minute."""
    lock_name(session, LOCK)
    last = session.scalar(select(AlertState).where(AlertState.organization_id.is_(None)))
    if last is None:
        session.add(AlertState(code=LAST_CHECK))
        return True
    # A clock that was set back must not stop the checks.
    if timedelta(0) <= now() - last.began_at < CHECK_INTERVAL:
        return False
    last.began_at = now()
    return True


def update(session: Session, current: Mapping[int, CurrentAlerts]) -> dict[int, list[AlertState]]:
    """Begin and end the states of these organizations, and return their rows."""
    lock_name(session, LOCK)
    by_organization: defaultdict[int, list[AlertState]] = defaultdict(list)
    for row in session.scalars(
        select(AlertState).where(AlertState.organization_id.in_(current)).order_by(AlertState.id)
    ):
        by_organization[row.organization_id or 0].append(row)
    for organization_id, alerts in current.items():
        rows = by_organization[organization_id]
        lasting = set(alerts)
        if AlertCode.BUDGET_USED in lasting:  # a budget that is used up is also nearly used up
            lasting.add(AlertCode.BUDGET_NEARLY_USED)
        begun = {AlertCode(row.code) for row in rows if row.ended_at is None}
        for row in rows:
            if row.ended_at is None and row.code not in lasting:
                row.ended_at = now()
        new = [AlertState(organization_id=organization_id, code=code) for code in sorted(lasting - begun)]
        session.add_all(new)
        rows.extend(new)
        _forget(session, rows)
    return by_organization


def _forget(session: Session, rows: list[AlertState]) -> None:
    """Delete the rows of alerts that are over, if nothing is left to announce or to remember."""
    for row in list(rows):
        if row.ended_at is None:
            continue
        is_mailed = row.begin_mailed_at is None or (
            row.end_mailed_at is not None and row.end_mailed_at < now() - MAIL_INTERVAL
        )
        is_posted = row.begin_posted_at is None or row.end_posted_at is not None
        if is_mailed and (is_posted or row.ended_at < now() - GIVE_UP_AFTER):
            session.delete(row)
            rows.remove(row)


def collect_mail(organization_id: int, rows: Iterable[AlertState], alerts: CurrentAlerts) -> Announcement:
    """Return what an e-mail has to say now. It is nothing within an hour after the last e-mail."""
    rows = list(rows)
    times = [at for row in rows for at in (row.begin_mailed_at, row.end_mailed_at) if at]
    if times and now() - max(times) < MAIL_INTERVAL:
        return Announcement(organization_id)
    return _collect(
        organization_id,
        [row for row in rows if row.ended_at is None and row.begin_mailed_at is None],
        [row for row in rows if row.ended_at and row.begin_mailed_at and row.end_mailed_at is None],
        alerts,
    )


def collect_post(organization_id: int, rows: Iterable[AlertState], alerts: CurrentAlerts) -> Announcement:
    """Return what the webhook of the administrators has to be told now."""
    rows = list(rows)
    return _collect(
        organization_id,
        [row for row in rows if row.ended_at is None and row.begin_posted_at is None],
        [row for row in rows if row.ended_at and row.begin_posted_at and row.end_posted_at is None],
        alerts,
    )


def list_announced(session: Session, organization_id: int, known: Collection[AlertCode]) -> list[Alert]:
    """Return the alerts that last and that a page does not find itself, given the codes that it has found."""
    lasting = (AlertState.organization_id == organization_id, AlertState.ended_at.is_(None))
    codes = [
        AlertCode(code) for code in session.scalars(select(AlertState.code).where(*lasting).order_by(AlertState.id))
    ]
    return [Alert(code) for code in codes if code in INSTEAD and INSTEAD[code] not in known]


def mark_mailed(announcement: Announcement, at: datetime) -> None:
    for row in announcement.rows:
        if row.ended_at is None:
            row.begin_mailed_at = at
        else:
            row.end_mailed_at = at


def mark_posted(announcement: Announcement, at: datetime) -> None:
    for row in announcement.rows:
        if row.ended_at is None:
            row.begin_posted_at = at
        else:
            row.end_posted_at = at


def _collect(
    organization_id: int, begun: list[AlertState], over: list[AlertState], alerts: CurrentAlerts
) -> Announcement:
    ended = [AlertCode(row.code) for row in over]
    if AlertCode.BUDGET_USED in ended:
        ended = [code for code in ended if code is not AlertCode.BUDGET_NEARLY_USED]
    # The row of BUDGET_NEARLY_USED begins together with BUDGET_USED, and has no alert then.
    started = [alerts[AlertCode(row.code)] for row in begun if AlertCode(row.code) in alerts]
    return Announcement(organization_id, sorted(started, key=_urgency), ended, [*begun, *over])


def _urgency(alert: Alert) -> int:
    return list(AlertCode).index(alert.code)
