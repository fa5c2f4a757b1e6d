"""Permissions of owners: an owner may act on members of the same organization only.

An owner may never take over an account that gives access to more than this organization.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts import addresses, people
from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import lock_rows
from glific_gpt.errors import N_, AdministratorRequired, Conflict, NotFound
from glific_gpt.organizations.tables import Organization

MSG_LINK_NEEDS_ADMINISTRATOR = N_(
    "This person's account gives access to more than this organization. Ask an administrator for the one-time link."
)
MSG_ACCOUNT_INACTIVE_NO_LINK = N_("This person's account is switched off. Ask an administrator to switch it on.")
MSG_ACCOUNT_EXISTS = N_(
    "This e-mail address already has an account on this server. Ask an administrator to add the person to this "
    "organization."
)
MSG_TOO_MANY_INVITATIONS = N_(
    "Too many people were invited to this organization within an hour. Try again in an hour, or ask an administrator."
)
MSG_TOO_MANY_LINKS = N_(
    "Too many one-time links were created for this organization within an hour. Try again in an hour, or ask an "
    "administrator."
)
MAX_INVITATIONS_PER_HOUR = 30
MAX_LINKS_PER_HOUR = 30
"""One-time links of an organization, with those of its invitations."""


def invite(session: Session, inviter: User, organization_id: int, email: str, role: Role) -> tuple[User, bool]:
    """Invite a person to an organization. Return the person, and whether the account is new.

    Owners may not add an existing account, because adding it resets its credentials. Raises AdministratorRequired for
    that, InvalidValue, and Conflict for a member and for too many invitations in an hour.
    """
    if inviter.is_administrator:
        return people.add_member(session, organization_id, email, role)
    _limit_invitations(session, organization_id)

    def check(known: User) -> None:
        # After the account is locked: an administrator may be giving it access to another organization.
        is_member = session.get(Membership, (known.id, organization_id)) is not None
        if not is_member and not _is_unused(session, known):
            raise AdministratorRequired(MSG_ACCOUNT_EXISTS)

    return people.add_member(session, organization_id, email, role, check)


def record_refused_invitation(session: Session, organization_id: int, email: str) -> None:
    """Record that an owner has learned that an address has an account.

    Call it in the transaction of the invitation, which locks the organization, so that concurrent invitations see this
    entry. A refused invitation has written nothing else.
    """
    trail.record(session, Action.INVITATION_REFUSED, organization_id, email=addresses.normalize(email))


def find_member(session: Session, organization_id: int, user_id: int) -> User:
    """Return a member by id. Raises NotFound if the person is not a member."""
    user = session.get(User, user_id)
    if user is None or session.get(Membership, (user_id, organization_id)) is None:
        raise NotFound
    return user


def members_needing_administrator(session: Session, organization_id: int) -> set[int]:
    """Return the ids of the members for which only an administrator may create a link."""
    members = select(Membership.user_id).where(Membership.organization_id == organization_id)
    elsewhere = select(Membership.user_id).where(Membership.organization_id != organization_id)
    has_more_access = User.is_administrator | User.id.in_(elsewhere)
    return set(session.scalars(select(User.id).where(User.id.in_(members), has_more_access)))


def require_link_permission(session: Session, creator: User, user: User, organization_id: int) -> None:
    """Raises AdministratorRequired if `creator` may not create a one-time link for the member."""
    if not user.active:
        raise AdministratorRequired(MSG_ACCOUNT_INACTIVE_NO_LINK)
    if not creator.is_administrator and user.id in members_needing_administrator(session, organization_id):
        raise AdministratorRequired(MSG_LINK_NEEDS_ADMINISTRATOR)


def limit_links(session: Session, creator: User, organization_id: int) -> None:
    """Raises Conflict after too many links in an hour: each one can be an e-mail. Administrators are not limited."""
    if creator.is_administrator:
        return
    # Requests that arrive together would otherwise not see each other's links.
    lock_rows(session, select(Organization).where(Organization.id == organization_id))
    made = trail.count_entries(session, organization_id, [Action.SIGN_IN_LINK_MADE], now() - timedelta(hours=1))
    if made >= MAX_LINKS_PER_HOUR:
        raise Conflict(MSG_TOO_MANY_LINKS)


def _limit_invitations(session: Session, organization_id: int) -> None:
    """Raises Conflict after too many invitations: each one reveals whether an address has an account."""
    # Requests that arrive together would otherwise not see each other's invitations.
    lock_rows(session, select(Organization).where(Organization.id == organization_id))
    actions = (Action.MEMBER_ADDED, Action.INVITATION_REFUSED)
    if trail.count_entries(session, organization_id, actions, now() - timedelta(hours=1)) >= MAX_INVITATIONS_PER_HOUR:
        raise Conflict(MSG_TOO_MANY_INVITATIONS)


def _is_unused(session: Session, user: User) -> bool:
    """Return True for an account without password and organization, which gives access to nothing."""
    membership = session.scalar(select(Membership.user_id).where(Membership.user_id == user.id).limit(1))
    return user.active and not user.is_administrator and user.password is None and membership is None
