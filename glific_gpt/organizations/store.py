"""Organizations: create, find, change."""

import re

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.errors import Conflict, InvalidValue, NotFound
from glific_gpt.organizations.changes import SLUG, OrganizationChanges, checked
from glific_gpt.organizations.tables import MonthlySpend, Organization


def create(session: Session, slug: str, name: str) -> Organization:
    """A new organization. Raises InvalidValue for a slug that cannot stand in an address, Conflict for a taken one."""
    if not is_slug(slug):
        raise InvalidValue("A slug has 1 to 63 small letters, digits or hyphens, such as seva-trust.")
    organization = Organization(slug=slug, name=checked(name=name).name)
    session.add(organization)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"There is an organization {slug} already.") from None
    return organization


def find(session: Session, slug: str) -> Organization:
    """Raises NotFound."""
    known = is_slug(slug)
    found = session.scalar(select(Organization).where(Organization.slug == slug)) if known else None
    if found is None:
        raise NotFound(f"There is no organization {slug}." if known else "")
    return found


def every(session: Session) -> list[Organization]:
    return list(session.scalars(select(Organization).order_by(Organization.slug)))


def change(session: Session, organization: Organization, changes: OrganizationChanges) -> None:
    if organization.monthly_budget_usd is None:
        # Nothing has been counted: the next call under a budget adds the month up anew.
        session.execute(delete(MonthlySpend).where(MonthlySpend.organization_id == organization.id))
    for field, value in changes.given().items():
        setattr(organization, field, value)


def is_slug(text: str) -> bool:
    return re.fullmatch(SLUG, text) is not None
