"""The rule that an organization keeps at least one owner with an account that is switched on."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from glific_gpt.accounts.tables import Membership, Role, User
from glific_gpt.database import lock_rows
from glific_gpt.errors import N_, Conflict, NotFound
from glific_gpt.organizations.tables import Organization

MSG_LAST_OWNER = N_("This is the organization's only owner. Make another member an owner first.")
MSG_LAST_OWNER_SOMEWHERE = N_(
    "This person is the only owner of an organization. Make another member an owner there first, or switch the "
    "organization off."
)
MSG_LAST_OWNER_OF_ANY = N_(
    "This person is the only owner of an organization. Make another member an owner there first, or delete the "
    "organization."
)
BY_KEY = (Membership.organization_id, Membership.user_id)
"""An order for locks, so that two transactions cannot wait for each other."""


def lock_membership(session: Session, organization_id: int, user: User) -> Membership:
    """Lock the members of an organization, and return the membership of one. Raises NotFound.

    All of them, because any other member could be the one who remains as owner.
    """
    members = lock_rows(
        session, select(Membership).where(Membership.organization_id == organization_id).order_by(*BY_KEY)
    )
    for membership in members:
        if membership.user_id == user.id:
            return membership
    raise NotFound(N_("This person is not a member of this organization."))


def require_another_owner(session: Session, membership: Membership) -> None:
    """Raises Conflict for the only owner. The members must be locked."""
    if membership.as_role is Role.OWNER and not _has_other_owner(session, membership):
        raise Conflict(MSG_LAST_OWNER)


def require_other_owners(session: Session, user: User, *, in_all: bool = False) -> None:
    """Raises Conflict for the only owner of an organization that is switched on, or of any one with `in_all`.

    The user must be locked.
    """
    own = select(Membership.organization_id).where(Membership.user_id == user.id)
    active = select(Organization.id).where(Organization.is_active)
    members = select(Membership).where(Membership.organization_id.in_(own)).order_by(*BY_KEY)
    for membership in lock_rows(session, members if in_all else members.where(Membership.organization_id.in_(active))):
        is_own = membership.user_id == user.id and membership.as_role is Role.OWNER
        if is_own and not _has_other_owner(session, membership):
            raise Conflict(MSG_LAST_OWNER_OF_ANY if in_all else MSG_LAST_OWNER_SOMEWHERE)


def _has_other_owner(session: Session, membership: Membership) -> bool:
    # A statement of its own: on PostgreSQL, one that waits for a lock reads other tables as they were before.
    others = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == membership.organization_id, Membership.user_id != membership.user_id)
        .where(Membership.role == Role.OWNER.value, User.active)
    )
    return session.scalar(others.limit(1)) is not None
