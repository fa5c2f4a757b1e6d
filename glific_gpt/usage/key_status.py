"""State of an organization's key, from its settings and from OpenAI's last reply to it."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.credentials.tables import Credential
from glific_gpt.errors import InsufficientQuota, InvalidApiKey

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


def last_key_result(
    organization_id: int | InstrumentedAttribute[int], saved_at: datetime | InstrumentedAttribute[datetime]
) -> Select[str]:
    """Select the last result of the key that was saved at `saved_at`: a code of KEY_ERRORS, or WORKED.

    The query has no row if OpenAI has not been asked since then.
    """
    is_key_error = Call.error_code.in_(KEY_ERRORS)
    return (
        select(case((is_key_error, Call.error_code), else_=WORKED))
        .where(Call.organization_id == organization_id)
        # Results from before the key was saved are about another key.
        .where(Call.started_at >= now() - RECENT, Call.started_at >= saved_at)
        # OpenAI names the model in every answer, so a call with `model_used` was answered.
        .where(or_(is_key_error, Call.model_used.is_not(None)))
        .order_by(Call.started_at.desc())
        .limit(1)
    )


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
    successful = (Call.organization_id == organization_id, Call.status == "ok")
    return session.scalar(select(Call.started_at).where(*successful).order_by(Call.started_at.desc()).limit(1))
