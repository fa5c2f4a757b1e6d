"""People: create and find them, and what they are in which organization."""

from dataclasses import dataclass
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import insert_if_absent
from glific_gpt.errors import N_, Conflict, InvalidValue, NotFound
from glific_gpt.organizations.tables import Organization

SWITCHED_OFF = N_("This person's account is switched off: switch it on first.")
LAST_OWNER = N_("This is the organization's only owner: make somebody else an owner first.")
MAX_EMAIL = 255


@dataclass(frozen=True)
class Member:
    """A person in an organization, as its other people see them."""

    user: User
    role: Role
    has_password: bool
    """False until the invitation was used."""
    has_two_factor: bool


def find(session: Session, email: str) -> User:
    """Raises NotFound."""
    found = _find_if_any(session, normal(email))
    if found is None:
        raise NotFound(N_("There is nobody with that e-mail address."))
    return found


def every(session: Session) -> list[User]:
    return list(session.scalars(select(User).order_by(User.email)))


def create(session: Session, email: str, *, administrator: bool = False) -> User:
    """A new person, without a password yet. Raises InvalidValue for what is no e-mail address, and Conflict."""
    user = User(email=checked_email(email), is_administrator=administrator)
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(N_("There is somebody with that e-mail address already.")) from None
    if administrator:
        trail.record(session, Action.ADMINISTRATOR_ADDED, email=user.email)
    return user


def memberships(session: Session, user: User) -> list[tuple[Organization, Role]]:
    """The organizations that the person may see, by name."""
    if user.is_administrator:
        everything = session.scalars(select(Organization).order_by(Organization.name, Organization.id))
        return [(organization, Role.OWNER) for organization in everything]
    rows = session.execute(_joined(user).order_by(Organization.name, Organization.id))
    return [(organization, membership.as_role) for organization, membership in rows]


def organizations_of(session: Session, user: User) -> dict[str, Role]:
    """Slugs and roles of the organizations that the person was let into, in order."""
    rows = session.execute(_joined(user).order_by(Organization.slug))
    return {organization.slug: membership.as_role for organization, membership in rows}


def role_in(session: Session, user: User, organization_id: int) -> Role | None:
    """None for who has nothing to do with it."""
    if user.is_administrator:
        return Role.OWNER
    membership = session.get(Membership, (user.id, organization_id))
    return membership.as_role if membership else None


def members(session: Session, organization_id: int) -> list[Member]:
    """By e-mail address."""
    rows = session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
        .order_by(User.email)
    )
    return [
        Member(user, membership.as_role, user.password is not None, user.has_two_factor) for user, membership in rows
    ]


def add(session: Session, organization_id: int, email: str, role: Role) -> tuple[User, bool]:
    """Lets a person in; tells whether the server had not known them.

    Whose account then opens more than before starts anew, and needs a link. Administrators' opens everything already.
    Raises InvalidValue, and Conflict for a member and for an account that is switched off.
    """
    found = _find_if_any(session, checked_email(email))
    if found and not found.active:
        raise Conflict(SWITCHED_OFF)
    user = found or create(session, email)
    membership = Membership(user_id=user.id, organization_id=organization_id, role=role.value, created_at=now())
    if not insert_if_absent(session, membership):
        raise Conflict(N_("This person is a member already."))
    if found and not found.is_administrator:
        start_anew(found)
    trail.record(session, Action.MEMBER_ADDED, organization_id, email=user.email, role=role.value)
    return user, found is None


def set_role(session: Session, organization_id: int, user: User, role: Role) -> None:
    """Raises NotFound for who is no member, and Conflict for the last owner."""
    membership = _membership(session, organization_id, user)
    if membership.as_role is role:
        return
    _keep_an_owner(session, membership)
    membership.role = role.value
    trail.record(session, Action.MEMBER_ROLE_CHANGED, organization_id, email=user.email, role=role.value)


def remove(session: Session, organization_id: int, user: User) -> None:
    """Raises NotFound for who is no member, and Conflict for the last owner."""
    membership = _membership(session, organization_id, user)
    _keep_an_owner(session, membership)
    session.delete(membership)
    trail.record(session, Action.MEMBER_REMOVED, organization_id, email=user.email)


def start_anew(user: User) -> None:
    """What opened the account before opens it no more: whoever made its first link may have known it."""
    user.password, user.must_change_password = None, False
    user.forget_second_factor()
    end_sessions(user)


def end_sessions(user: User) -> None:
    """Ends sign-ins and one-time links alike."""
    user.fs_uniquifier = uuid4().hex


def normal(email: str) -> str:
    """As it is stored."""
    return email.strip().lower()


def checked_email(email: str) -> str:
    """As it is stored. Raises InvalidValue."""
    try:
        valid = validate_email(normal(email), check_deliverability=False)
    except EmailNotValidError:
        raise InvalidValue(N_("That is not an e-mail address, such as asha@example.org.")) from None
    if len(valid.normalized) > MAX_EMAIL:
        raise InvalidValue(N_("An e-mail address has 255 characters at most."))
    return valid.normalized.lower()


def _joined(user: User) -> Select[Organization, Membership]:
    joined = select(Organization, Membership).join(Membership, Membership.organization_id == Organization.id)
    return joined.where(Membership.user_id == user.id)


def _find_if_any(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def _membership(session: Session, organization_id: int, user: User) -> Membership:
    found = session.get(Membership, (user.id, organization_id))
    if found is None:
        raise NotFound(N_("This person is not a member of this organization."))
    return found


def _keep_an_owner(session: Session, membership: Membership) -> None:
    """Locks the owners, so that two of them cannot leave at the same moment."""
    if membership.as_role is not Role.OWNER:
        return
    owners = session.scalars(
        select(Membership.user_id)
        .where(Membership.organization_id == membership.organization_id, Membership.role == Role.OWNER.value)
        .order_by(Membership.user_id)
        .with_for_update()
    ).all()
    if len(owners) == 1:
        raise Conflict(LAST_OWNER)
