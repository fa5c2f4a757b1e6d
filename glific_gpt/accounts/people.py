"""People and their roles in organizations."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.accounts import addresses, owners
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import insert_if_absent, lock_rows
from glific_gpt.errors import N_, Conflict, NotFound
from glific_gpt.organizations.tables import Organization

MSG_ACCOUNT_INACTIVE = N_("This person's account is switched off. Switch it on first.")


@dataclass(frozen=True)
class Member:
    """A member of an organization, as other members see it."""

    user: User
    role: Role
    has_password: bool
    """False until the person has used the invitation."""
    has_two_factor: bool


def find_person(session: Session, email: str) -> User:
    """Return the person with this e-mail address. Raises NotFound."""
    found = _find_by_email(session, addresses.normalize(email))
    if found is None:
        raise NotFound(N_("No account has this e-mail address."))
    return found


def create_person(session: Session, email: str, *, administrator: bool = False) -> User:
    """Create a person without a password. Raises InvalidValue for an invalid e-mail address, and Conflict."""
    user = User(email=addresses.validate(email), is_administrator=administrator)
    session.add(user)
    try:
        # Not looked up before: another request could create it between the query and the INSERT.
        session.flush()
    except IntegrityError:
        raise Conflict(N_("An account with this e-mail address exists already.")) from None
    if administrator:
        trail.record(session, Action.ADMINISTRATOR_ADDED, email=user.email)
    return user


def list_memberships(session: Session, user: User) -> list[tuple[Organization, Role]]:
    """Return the organizations that the person may see, with roles, in the order of their names."""
    if user.is_administrator:
        organizations = session.scalars(select(Organization).order_by(Organization.name, Organization.id))
        return [(organization, Role.OWNER) for organization in organizations]
    rows = session.execute(
        select(Organization, Membership)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user.id)
        .order_by(Organization.name, Organization.id)
    )
    return [(organization, membership.as_role) for organization, membership in rows]


def find_first_slug(session: Session, is_person: ColumnElement[bool]) -> str | None:
    """Return the slug of the first organization of the person that `is_person` selects; None without one."""
    query = select(Organization.slug).join(Membership, Membership.organization_id == Organization.id)
    query = query.join(User, User.id == Membership.user_id).where(is_person)
    return session.scalar(query.order_by(Organization.id).limit(1))


def find_role(session: Session, user: User, organization_id: int) -> Role | None:
    """Return the role of the person in the organization; None if there is none. Administrators act as owners."""
    if user.is_administrator:
        return Role.OWNER
    membership = session.get(Membership, (user.id, organization_id))
    return membership.as_role if membership else None


def list_members(session: Session, organization_id: int) -> list[Member]:
    """Return the members of an organization, in the order of their e-mail addresses."""
    rows = session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
        .order_by(User.email)
    )
    return [
        Member(user, membership.as_role, user.password is not None, user.has_two_factor) for user, membership in rows
    ]


def add_member(
    session: Session, organization_id: int, email: str, role: Role, check: Callable[[User], None] = lambda _user: None
) -> tuple[User, bool]:
    """Add a person to an organization. Return the person, and whether the account is new.

    If access widens, the account's credentials are reset, and the person needs a new link. This does not apply to
    administrators: they can access everything already.
    `check` is called with an existing account, which nothing else can change then, and may raise an error.
    Raises InvalidValue, and Conflict for a member and for an account that is switched off.
    """
    found = lock_by_email(session, addresses.validate(email))
    if found:
        check(found)
    if found and not found.active:
        raise Conflict(MSG_ACCOUNT_INACTIVE)
    user = found or create_person(session, email)
    membership = Membership(user_id=user.id, organization_id=organization_id, role=role.value, created_at=now())
    # Two owners may invite the same person at the same moment.
    if not insert_if_absent(session, membership):
        raise Conflict(N_("This person is a member already."))
    if found and not found.is_administrator:
        reset_credentials(found)
    trail.record(session, Action.MEMBER_ADDED, organization_id, email=user.email, role=role.value)
    return user, found is None


def set_role(session: Session, organization_id: int, user: User, role: Role) -> None:
    """Change the role of a member. Raises NotFound if the person is not a member, and Conflict for the last owner."""
    membership = owners.lock_membership(session, organization_id, user)
    if membership.as_role is role:
        return
    owners.require_another_owner(session, membership)
    membership.role = role.value
    trail.record(session, Action.MEMBER_ROLE_CHANGED, organization_id, email=user.email, role=role.value)


def remove_member(session: Session, organization_id: int, user: User) -> None:
    """Remove a member. Raises NotFound if the person is not a member, and Conflict for the last owner."""
    membership = owners.lock_membership(session, organization_id, user)
    owners.require_another_owner(session, membership)
    session.delete(membership)
    trail.record(session, Action.MEMBER_REMOVED, organization_id, email=user.email)


def reset_credentials(user: User) -> None:
    """Remove password and second factor, and end all sessions and links.

    The creator of the account's first link could have used it, and may know the password.
    """
    user.password, user.must_change_password = None, False
    user.reset_two_factor()
    end_sessions(user)


def end_sessions(user: User) -> None:
    """End all sessions and one-time links, which name the person by this value."""
    user.fs_uniquifier = uuid4().hex


def _find_by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def lock_by_email(session: Session, email: str) -> User | None:
    """Return a person whose account is not switched off, and gets no other rights, until the transaction ends."""
    locked = lock_rows(session, select(User).where(User.email == email))
    return locked[0] if locked else None
