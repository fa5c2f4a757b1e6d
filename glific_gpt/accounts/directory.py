"""Everybody on the server, with where they belong: for administrators."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts.roles import Role
from glific_gpt.accounts.tables import Membership, User
from glific_gpt.errors import NotFound
from glific_gpt.organizations.tables import Organization


@dataclass(frozen=True)
class Place:
    """An organization to which somebody belongs, and as what."""

    slug: str
    name: str
    role: Role


@dataclass(frozen=True)
class Somebody:
    """A person, with the organizations by name."""

    user: User
    places: list[Place]


def find(session: Session, user_id: int) -> User:
    """Raises NotFound."""
    found = session.get(User, user_id)
    if found is None:
        raise NotFound
    return found


def everybody(session: Session) -> list[Somebody]:
    """By e-mail address; two queries, however many there are."""
    places = _places(session)
    return [Somebody(user, places[user.id]) for user in session.scalars(select(User).order_by(User.email))]


def somebody(session: Session, user_id: int) -> Somebody:
    """Raises NotFound."""
    return Somebody(find(session, user_id), _places(session, user_id)[user_id])


def _places(session: Session, user_id: int | None = None) -> defaultdict[int, list[Place]]:
    query = (
        select(Membership, Organization)
        .join(Organization, Organization.id == Membership.organization_id)
        .order_by(Organization.name)
    )
    if user_id is not None:
        query = query.where(Membership.user_id == user_id)
    found: defaultdict[int, list[Place]] = defaultdict(list)
    for membership, organization in session.execute(query):
        found[membership.user_id].append(Place(organization.slug, organization.name, membership.as_role))
    return found
