"""Organizations: create, find, change."""

import re
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.errors import N_, Conflict, InvalidValue, NotFound
from glific_gpt.organizations.changes import SLUG, OrganizationChanges, validate_changes
from glific_gpt.organizations.tables import MonthlySpend, Organization

FREE_TEXT_FIELDS = {"name", "fallback_message"}
"""Of these the trail keeps that they changed and not what they say, which may be anything."""


def create(session: Session, slug: str, name: str) -> Organization:
    """A new organization. Raises InvalidValue for a slug that cannot stand in an address, Conflict for a taken one."""
    if not is_slug(slug):
        raise InvalidValue(N_("A slug has 1 to 63 small letters, digits or hyphens, such as seva-trust."))
    organization = Organization(slug=slug, name=validate_changes(name=name).name)
    session.add(organization)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(N_("There is an organization of that slug already.")) from None
    trail.record(session, Action.ORGANIZATION_CREATED, organization.id, slug=slug)
    return organization


def find(session: Session, slug: str) -> Organization:
    """Raises NotFound."""
    known = is_slug(slug)
    found = session.scalar(select(Organization).where(Organization.slug == slug)) if known else None
    if found is None:
        raise NotFound(f"There is no organization {slug}." if known else "")
    return found


def list_organizations(session: Session) -> list[Organization]:
    return list(session.scalars(select(Organization).order_by(Organization.slug)))


def update(session: Session, organization: Organization, changes: OrganizationChanges) -> None:
    if organization.monthly_budget_usd is None:
        # Nothing has been counted: the next call under a budget adds the month up anew.
        session.execute(delete(MonthlySpend).where(MonthlySpend.organization_id == organization.id))
    given = changes.given().items()
    changed = {field: value for field, value in given if getattr(organization, field) != value}
    for field, value in changed.items():
        setattr(organization, field, value)
    _record(session, organization.id, changed)


def _record(session: Session, organization_id: int, changed: dict[str, Any]) -> None:
    """Switches and lists of models are actions of their own."""
    others = dict(changed)
    if "is_active" in changed:
        switched = Action.ORGANIZATION_ACTIVATED if others.pop("is_active") else Action.ORGANIZATION_DEACTIVATED
        trail.record(session, switched, organization_id)
    if "allowed_models" in changed:
        trail.record(session, Action.MODELS_ALLOWED, organization_id, patterns=others.pop("allowed_models"))
    if others:
        values = {field: _plain(value) for field, value in others.items() if field not in FREE_TEXT_FIELDS}
        trail.record(session, Action.ORGANIZATION_CHANGED, organization_id, changed=sorted(others), **values)


def _plain(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value


def is_slug(text: str) -> bool:
    return re.fullmatch(SLUG, text) is not None
