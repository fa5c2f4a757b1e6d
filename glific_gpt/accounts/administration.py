"""What administrators decide about people: who is one too, and whose account is switched off."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.errors import N_, Conflict, NotFound
from glific_gpt.organizations.tables import Organization

NOT_ONESELF = N_("You cannot do this to your own account: ask another administrator.")
LAST = N_("This is the only administrator who can sign in: make somebody else one first.")


def appoint(session: Session, email: str) -> User:
    """Makes somebody an administrator, who then needs a link. Raises InvalidValue, and Conflict for one already."""
    user = session.scalar(select(User).where(User.email == people.checked_email(email)))
    if user is None:
        return people.create(session, email, administrator=True)
    if user.is_administrator:
        raise Conflict(N_("This person is an administrator already."))
    if not user.active:
        raise Conflict(people.SWITCHED_OFF)
    user.is_administrator = True
    people.start_anew(user)
    trail.record(session, Action.ADMINISTRATOR_ADDED, email=user.email)
    return user


def dismiss(session: Session, user: User, by: User) -> None:
    """Leaves them what they are in their organizations. Raises Conflict."""
    if not user.is_administrator:
        return
    _keep_one(session, user, by)
    user.is_administrator = False
    trail.record(session, Action.ADMINISTRATOR_REMOVED, email=user.email)


def switch(session: Session, user: User, by: User | None, *, is_active: bool) -> None:
    """Off, nobody signs in with the account, and whoever was is signed out. A command is by nobody. Raises Conflict."""
    if user.active == is_active:
        return
    if not is_active:
        _keep_one(session, user, by)
        people.end_sessions(user)
    user.active = is_active
    action = Action.PERSON_ACTIVATED if is_active else Action.PERSON_DEACTIVATED
    trail.record(session, action, email=user.email)


def forget_second_factor(session: Session, user: User) -> None:
    """For who has lost the phone and the recovery codes: the password alone is then enough."""
    if user.has_two_factor:
        user.forget_second_factor()
        trail.record(session, Action.TWO_FACTOR_DISABLED, email=user.email)


def _keep_one(session: Session, user: User, by: User | None) -> None:
    """Locks the administrators, so that two of them cannot end each other at the same moment."""
    if by and user.id == by.id:
        raise Conflict(NOT_ONESELF)
    if not user.is_administrator:
        return
    able = select(User.id).where(User.is_administrator, User.active).order_by(User.id).with_for_update()
    if not set(session.scalars(able)) - {user.id}:
        raise Conflict(LAST)


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
