"""How far an owner reaches: to the people of the own organization alone, and to no account that opens more than it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.errors import N_, AdministratorsOnly, Conflict, NotFound

NO_LINK = N_(
    "Only an administrator can make a one-time link for this person, because the account opens more than this "
    "organization."
)
NOT_ACTIVE = N_("An administrator has switched this person's account off, so no link would open it.")
KNOWN = N_(
    "Somebody with this e-mail address has an account on this server already. Ask an administrator to add this "
    "person here."
)
TOO_MANY = N_(
    "Many people were invited to this organization within an hour. Go on in an hour, or ask an administrator."
)
INVITATIONS_AN_HOUR = 30


def invite(session: Session, inviter: User, organization_id: int, email: str, role: Role) -> tuple[User, bool]:
    """Lets a person in; tells whether the server had not known them.

    An account that somebody else was let into before may have a password that they know, so owners may not take
    one in. Raises AdministratorsOnly for that, InvalidValue, and Conflict for a member and for too many in an hour.
    """
    if not inviter.is_administrator:
        _go_slowly(session, organization_id)
    known = session.scalar(select(User).where(User.email == people.checked_email(email)))
    is_member = known is not None and session.get(Membership, (known.id, organization_id)) is not None
    if known and not is_member and not inviter.is_administrator and not _is_unused(session, known):
        raise AdministratorsOnly(KNOWN)
    return people.add(session, organization_id, email, role)


def record_refused(session: Session, organization_id: int, email: str) -> None:
    """An owner has learned that the address is somebody's: in a transaction of its own, as the invitation's is over."""
    trail.record(session, Action.INVITATION_REFUSED, organization_id, email=people.normal(email))


def member(session: Session, organization_id: int, user_id: int) -> User:
    """Raises NotFound for who is no member."""
    user = session.get(User, user_id)
    if user is None or session.get(Membership, (user_id, organization_id)) is None:
        raise NotFound
    return user


def out_of_reach(session: Session, organization_id: int) -> set[int]:
    """The ids of the members for whom its owners may not make a link."""
    mine = select(Membership.user_id).where(Membership.organization_id == organization_id)
    elsewhere = select(Membership.user_id).where(Membership.organization_id != organization_id)
    beyond = User.is_administrator | User.id.in_(elsewhere)
    return set(session.scalars(select(User.id).where(User.id.in_(mine), beyond)))


def require_link(session: Session, maker: User, user: User, organization_id: int) -> None:
    """Raises AdministratorsOnly where this person may not make a link for that member."""
    if not user.active:
        raise AdministratorsOnly(NOT_ACTIVE)
    if not maker.is_administrator and user.id in out_of_reach(session, organization_id):
        raise AdministratorsOnly(NO_LINK)


def _go_slowly(session: Session, organization_id: int) -> None:
    """Who invites on and on asks which addresses have an account. Raises Conflict."""
    tries = (Action.MEMBER_ADDED, Action.INVITATION_REFUSED)
    if trail.count(session, organization_id, tries, now() - timedelta(hours=1)) >= INVITATIONS_AN_HOUR:
        raise Conflict(TOO_MANY)


def _is_unused(session: Session, user: User) -> bool:
    """Invited once, gone again, and never signed in: there is nothing to take over."""
    belongs = session.scalar(select(Membership.user_id).where(Membership.user_id == user.id).limit(1))
    return user.active and not user.is_administrator and user.password is None and belongs is None
