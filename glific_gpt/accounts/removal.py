"""Deletion of people: their accounts, e-mails and sessions end, and the audit trail keeps no address of them."""

import secrets
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session, aliased

from glific_gpt.accounts import administration, owners
from glific_gpt.accounts.passwords import RESET_LINK
from glific_gpt.accounts.tables import Membership, User
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.database import lock_rows
from glific_gpt.emails.outbox import ALERT, MESSAGE, current_outbox


def delete_person(session: Session, user: User, by: User | None) -> None:
    """Delete a person. `by` is None for a command.

    Raises Conflict for one's own account, for the last administrator, and for the last owner of an organization, also
    of one that is switched off.
    """
    administration.lock_account(session, user)
    administration.require_another_administrator(session, user, by)
    owners.require_other_owners(session, user, in_all=True)
    _delete_accounts(session, [user])


def list_members_by_fate(session: Session, organization_id: int) -> tuple[list[str], list[str]]:
    """Return the e-mail addresses of the members that lose their account with the organization, and of the others."""
    members = select(User).join(Membership, Membership.user_id == User.id)
    members = members.where(Membership.organization_id == organization_id).order_by(User.email)
    deleted = {user.id for user in session.scalars(members.where(*_has_nothing_else(organization_id)))}
    everyone = list(session.scalars(members))
    return (
        [user.email for user in everyone if user.id in deleted],
        [user.email for user in everyone if user.id not in deleted],
    )


def delete_exclusive_members(session: Session, organization_id: int) -> int:
    """Delete the accounts of members without another organization or rights, and return their number.

    Such an account gives access to nothing without the organization.
    """
    members = select(Membership.user_id).where(Membership.organization_id == organization_id)
    exclusive = select(User).where(User.id.in_(members), *_has_nothing_else(organization_id)).order_by(User.id)
    # Locked, because an administrator may be adding one of them to another organization. The second query then sees it.
    lock_rows(session, exclusive)
    accounts = session.scalars(exclusive).all()
    if accounts:
        _delete_accounts(session, accounts)
    return len(accounts)


def _has_nothing_else(organization_id: int) -> tuple[ColumnElement[bool], ...]:
    other = aliased(Membership)
    elsewhere = exists().where(other.user_id == User.id, other.organization_id != organization_id)
    return ~User.is_administrator, ~elsewhere


def _delete_accounts(session: Session, accounts: Sequence[User]) -> None:
    # A random name: one person's entries still belong together, and nothing leads from it to the person.
    names = {user.email: f"deleted person {secrets.token_hex(4)}" for user in accounts}
    for user in accounts:
        current_outbox().discard(session, user.email, (MESSAGE, RESET_LINK, ALERT))
        session.execute(delete(Membership).where(Membership.user_id == user.id))
        session.delete(user)
    session.flush()
    trail.anonymize(session, names)
    for name in names.values():
        trail.record(session, Action.PERSON_DELETED, email=name)
