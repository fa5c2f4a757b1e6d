"""Administration of people: administrators, switched-off accounts, and the list of all people."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import addresses, owners, people
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import lock_rows
from glific_gpt.errors import N_, Conflict, NotFound
from glific_gpt.organizations.tables import Organization

MSG_OWN_ACCOUNT = N_("You cannot do this to your own account. Ask another administrator.")
MSG_LAST_ADMINISTRATOR = N_(
    "This is the only administrator who can sign in. Make another person an administrator first."
)


def grant_admin(session: Session, email: str) -> User:
    """Make a person an administrator. The person then needs a link.

    Raises InvalidValue, and Conflict for an administrator and for an account that is switched off.
    """
    user = people.lock_by_email(session, addresses.validate(email))
    if user is None:
        return people.create_person(session, email, administrator=True)
    if user.is_administrator:
        raise Conflict(N_("This person is an administrator already."))
    if not user.active:
        raise Conflict(people.MSG_ACCOUNT_INACTIVE)
    user.is_administrator = True
    people.reset_credentials(user)
    trail.record(session, Action.ADMINISTRATOR_ADDED, email=user.email)
    return user


def revoke_admin(session: Session, user: User, by: User) -> None:
    """Revoke the rights of an administrator. Roles in organizations stay.

    Raises Conflict for one's own account, and for the last administrator.
    """
    lock_account(session, user)
    if not user.is_administrator:
        return
    require_another_administrator(session, user, by)
    user.is_administrator = False
    trail.record(session, Action.ADMINISTRATOR_REMOVED, email=user.email)


def set_active(session: Session, user: User, by: User | None, *, is_active: bool) -> None:
    """Switch an account on or off. Switching it off ends its sessions. `by` is None for a command.

    Raises Conflict for one's own account, for the last administrator, and for the last owner of an organization.
    """
    lock_account(session, user)
    if user.active == is_active:
        return
    if not is_active:
        require_another_administrator(session, user, by)
        owners.require_other_owners(session, user)
        people.end_sessions(user)
    user.active = is_active
    action = Action.PERSON_ACTIVATED if is_active else Action.PERSON_DEACTIVATED
    trail.record(session, action, email=user.email)


def reset_two_factor(session: Session, user: User) -> None:
    """Switch off two-step sign-in of a person without phone and recovery codes."""
    if user.has_two_factor:
        user.reset_two_factor()
        trail.record(session, Action.TWO_FACTOR_DISABLED, email=user.email)


def lock_account(session: Session, user: User) -> None:
    """Lock the account and all administrators, so that two of them cannot remove each other at the same moment."""
    lock_rows(session, select(User).where(User.is_administrator | (User.id == user.id)).order_by(User.id))


def require_another_administrator(session: Session, user: User, by: User | None) -> None:
    """Raises Conflict. The administrators must be locked."""
    if by and user.id == by.id:
        raise Conflict(MSG_OWN_ACCOUNT)
    others = select(User.id).where(User.is_administrator, User.active, User.id != user.id).limit(1)
    if user.is_administrator and user.active and session.scalar(others) is None:
        raise Conflict(MSG_LAST_ADMINISTRATOR)


@dataclass(frozen=True)
class OrganizationRole:
    """An organization of a person, and the role there."""

    slug: str
    name: str
    role: Role


@dataclass(frozen=True)
class PersonWithRoles:
    """A person, with the organizations in the order of their names."""

    user: User
    roles: list[OrganizationRole]


def find_user(session: Session, user_id: int) -> User:
    """Return a person by id. Raises NotFound."""
    found = session.get(User, user_id)
    if found is None:
        raise NotFound
    return found


def list_people(session: Session) -> list[PersonWithRoles]:
    """Return all people, in the order of their e-mail addresses. Runs two queries, for any number of people."""
    roles = _organization_roles(session)
    return [PersonWithRoles(user, roles[user.id]) for user in session.scalars(select(User).order_by(User.email))]


def get_person(session: Session, user_id: int) -> PersonWithRoles:
    """Return a person with roles. Raises NotFound."""
    return PersonWithRoles(find_user(session, user_id), _organization_roles(session, user_id)[user_id])


def _organization_roles(session: Session, user_id: int | None = None) -> defaultdict[int, list[OrganizationRole]]:
    query = (
        select(Membership, Organization)
        .join(Organization, Organization.id == Membership.organization_id)
        .order_by(Organization.name)
    )
    if user_id is not None:
        query = query.where(Membership.user_id == user_id)
    roles: defaultdict[int, list[OrganizationRole]] = defaultdict(list)
    for membership, organization in session.execute(query):
        roles[membership.user_id].append(OrganizationRole(organization.slug, organization.name, membership.as_role))
    return roles
