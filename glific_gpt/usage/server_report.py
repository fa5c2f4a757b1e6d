"""Monthly reports of all organizations, each in its own time zone, and the months that have reports."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.clock import now
from glific_gpt.organizations.tables import Organization
from glific_gpt.organizations.time_zones import find_zone
from glific_gpt.usage.monthly_report import MonthlyReport, build_totals
from glific_gpt.usage.months import Month, list_months, today


@dataclass(frozen=True)
class OrganizationReport:
    """One organization with its report."""

    slug: str
    name: str
    report: MonthlyReport


def list_organization_months(session: Session, organization: Organization) -> list[Month]:
    """Return the months from the organization's creation or first call on, the current one first."""
    return list_months(_find_start(session, [organization]), find_zone(organization.time_zone))


def list_server_months(session: Session) -> list[Month]:
    """Return the months of all organizations, in the time zone in which today begins first."""
    organizations = session.scalars(select(Organization)).all()
    zones = {find_zone(organization.time_zone) for organization in organizations} or {ZoneInfo("UTC")}
    return list_months(_find_start(session, organizations), max(zones, key=lambda zone: (today(zone), zone.key)))


def build_server_report(session: Session, first: date) -> list[OrganizationReport]:
    """Build the reports of all organizations for the month with this first day, by name. One query for a time zone."""
    organizations = session.scalars(
        select(Organization).order_by(func.lower(Organization.name), Organization.slug)
    ).all()
    by_zone: defaultdict[ZoneInfo, list[int]] = defaultdict(list)
    for organization in organizations:
        by_zone[find_zone(organization.time_zone)].append(organization.id)
    reports: dict[int, MonthlyReport] = {}
    for zone, ids in by_zone.items():
        reports |= build_totals(session, ids, Month(first, zone))
    return [OrganizationReport(row.slug, row.name, reports[row.id]) for row in organizations]


def _find_start(session: Session, organizations: Collection[Organization]) -> datetime:
    """Return when the first of the organizations was created or called. Without organizations, it is now."""
    ids = [organization.id for organization in organizations]
    # The first row of the index for each organization. The minimum of all would read every call.
    first_call = (
        select(Call.started_at)
        .where(Call.organization_id == Organization.id)
        .order_by(Call.started_at)
        .limit(1)
        .scalar_subquery()
    )
    first_deleted = select(func.min(DailyTotals.day)).where(DailyTotals.organization_id == Organization.id)
    rows = session.execute(
        select(Organization.created_at, first_call, first_deleted.scalar_subquery()).where(Organization.id.in_(ids))
    )
    times = [now()]
    for created_at, called_at, day in rows:
        times += [created_at, *([called_at] if called_at else [])]
        times += [datetime.combine(day, time(), UTC)] if day else []
    return min(times)
