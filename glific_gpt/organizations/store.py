"""Organizations: create, find, list and update."""

import re
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.errors import N_, Conflict, InvalidValue, NotFound
from glific_gpt.organizations.changes import SLUG, SLUG_IN_PATH, OrganizationChanges, validate_changes
from glific_gpt.organizations.tables import BudgetReservation, MonthlySpend, Organization

FREE_TEXT_FIELDS = {"name", "fallback_message", "alert_email"}
"""Fields recorded in the audit trail without their values, which may contain personal data."""


def create(session: Session, slug: str, name: str, time_zone: str | None = None) -> Organization:
    """Create an organization. Raises InvalidValue for an invalid slug and Conflict for an existing one.

    Without a time zone, it is in UTC.
    """
    if not is_new_slug(slug):
        raise InvalidValue(
            N_(
                "This slug is not valid. Use 1 to 63 small letters, digits or hyphens, with a letter or digit first "
                "and last, such as seva-trust."
            )
        )
    values = validate_changes(name=name, time_zone=time_zone)
    organization = Organization(slug=slug, name=values.name, time_zone=values.time_zone)
    session.add(organization)
    try:
        # Not looked up before: another request could create it between the query and the INSERT.
        session.flush()
    except IntegrityError:
        raise Conflict(N_("An organization with this slug already exists. Choose another slug.")) from None
    trail.record(session, Action.ORGANIZATION_CREATED, organization.id, slug=slug)
    return organization


def find(session: Session, slug: str) -> Organization:
    """Return the organization with this slug. Raises NotFound."""
    is_valid = is_slug(slug)
    organization = session.scalar(select(Organization).where(Organization.slug == slug)) if is_valid else None
    if organization is None:
        # Text that cannot be a slug is not repeated: it may be a secret that was pasted into the wrong field.
        raise NotFound(f"There is no organization {slug}. Check the slug." if is_valid else "")
    return organization


def list_organizations(session: Session) -> list[Organization]:
    """Return all organizations, by slug."""
    return list(session.scalars(select(Organization).order_by(Organization.slug)))


def update(session: Session, organization: Organization, changes: OrganizationChanges) -> None:
    """Apply the given settings and record those that changed in the audit trail."""
    if organization.monthly_budget_usd is None:
        # Calls without a budget are not counted, so an old row is wrong. The next call under a budget sums them up.
        for table in (MonthlySpend, BudgetReservation):
            session.execute(delete(table).where(table.organization_id == organization.id))
    given = changes.given_values().items()
    changed = {field: value for field, value in given if getattr(organization, field) != value}
    for field, value in changed.items():
        setattr(organization, field, value)
    _record(session, organization.id, changed)


def _record(session: Session, organization_id: int, changed: dict[str, Any]) -> None:
    """Record the changes. The switch and the model list have audit actions of their own."""
    others = dict(changed)
    if "is_active" in changed:
        action = Action.ORGANIZATION_ACTIVATED if others.pop("is_active") else Action.ORGANIZATION_DEACTIVATED
        trail.record(session, action, organization_id)
    if "allowed_models" in changed:
        trail.record(session, Action.MODELS_ALLOWED, organization_id, patterns=others.pop("allowed_models"))
    if others:
        values = {field: _to_json(value) for field, value in others.items() if field not in FREE_TEXT_FIELDS}
        trail.record(session, Action.ORGANIZATION_CHANGED, organization_id, changed=sorted(others), **values)


def _to_json(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value


def is_new_slug(text: str) -> bool:
    """Return True if a new organization may have this slug."""
    return re.fullmatch(SLUG, text) is not None


def is_slug(text: str) -> bool:
    """Return True if an organization can have this slug, which may be older than the rule for new ones."""
    return re.fullmatch(SLUG_IN_PATH, text) is not None
