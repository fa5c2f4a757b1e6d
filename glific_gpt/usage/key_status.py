"""State of an organization's key, from its settings and from OpenAI's last reply to it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import Select, case, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from glific_gpt.calls.tables import Call, DailyTotals
from glific_gpt.clock import now
from glific_gpt.errors import InsufficientQuota, InvalidApiKey
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization

OrganizationId: TypeAlias = int | InstrumentedAttribute[int]
Moment: TypeAlias = datetime | InstrumentedAttribute[datetime]
"""A value, or a column of the query that a subquery belongs to."""

RECENT = timedelta(days=30)
"""Age limit of results. An older one is not valid for the key's state today."""

WORKED = "worked"
"""Result in place of an error code if OpenAI answered."""


class KeyState(StrEnum):
    """State of a key."""

    MISSING = "missing"
    INACTIVE = "inactive"
    REFUSED = "refused"
    OUT_OF_CREDIT = "out_of_credit"
    OK = "ok"
    UNVERIFIED = "unverified"
    """The key was saved without a test and has not been used yet."""


KEY_ERRORS = {InvalidApiKey.code: KeyState.REFUSED, InsufficientQuota.code: KeyState.OUT_OF_CREDIT}
"""Errors about the key or its account. All other errors are about the question or are temporary."""


def last_key_result(organization_id: OrganizationId, saved_at: Moment) -> Select[str]:
    """Select the last result of the key that was saved at `saved_at`: a code of KEY_ERRORS, or WORKED.

    The query has no row if OpenAI has not been asked since then.
    """
    calls, deleted = _last_of_calls(organization_id, saved_at), _last_of_deleted(organization_id, saved_at)
    # The columns may belong to the query that this one is a part of.
    subqueries = [query.correlate(Organization, Credential).subquery() for query in (calls, deleted)]
    results = union_all(*(subquery.select() for subquery in subqueries)).subquery()
    return select(results.c.result).order_by(results.c.at.desc()).limit(1)


def _last_of_calls(organization_id: OrganizationId, saved_at: Moment) -> Select[str, datetime]:
    is_key_error = Call.error_code.in_(KEY_ERRORS)
    return (
        select(case((is_key_error, Call.error_code), else_=WORKED).label("result"), Call.started_at.label("at"))
        .where(Call.organization_id == organization_id)
        # Results from before the key was saved are about another key.
        .where(Call.started_at >= now() - RECENT, Call.started_at >= saved_at)
        # OpenAI names the model in every answer, so a call with `model_used` was answered.
        .where(or_(is_key_error, Call.model_used.is_not(None)))
        .order_by(Call.started_at.desc())
        .limit(1)
    )


def _last_of_deleted(organization_id: OrganizationId, saved_at: Moment) -> Select[str, datetime]:
    """Select the same from the totals of deleted calls."""
    is_key_error = DailyTotals.failure.in_(KEY_ERRORS)
    at = case((is_key_error, DailyTotals.last_at), else_=DailyTotals.last_answered_at)
    since = now() - RECENT
    return (
        select(case((is_key_error, DailyTotals.failure), else_=WORKED).label("result"), at.label("at"))
        .where(DailyTotals.organization_id == organization_id, DailyTotals.day >= since.date())
        .where(at >= since, at >= saved_at)
        .order_by(at.desc())
        .limit(1)
    )


def find_last_result(session: Session, credential: Credential | None) -> str | None:
    """Return the value of `last_key_result` for a credential, None without one."""
    if credential is None:
        return None
    return session.scalar(last_key_result(credential.organization_id, credential.updated_at))


def determine_key_state(credential: Credential | None, last_result: str | None) -> KeyState:
    """Return the state of a key, given the value of `last_key_result` or None."""
    if credential is None:
        return KeyState.MISSING
    if not credential.is_active:
        return KeyState.INACTIVE
    if last_result in KEY_ERRORS:
        return KEY_ERRORS[last_result]
    return KeyState.OK if last_result == WORKED or credential.verified_at else KeyState.UNVERIFIED


def find_last_success(session: Session, organization_id: int) -> datetime | None:
    """Return the start of the organization's last successful call, or None."""
    calls = (Call.organization_id == organization_id, Call.status == "ok")
    last = select(Call.started_at).where(*calls).order_by(Call.started_at.desc()).limit(1)
    deleted = (DailyTotals.organization_id == organization_id, DailyTotals.failure == "")
    last_deleted = select(func.max(DailyTotals.last_at)).where(*deleted)
    return max(filter(None, (session.scalar(last), session.scalar(last_deleted))), default=None)
