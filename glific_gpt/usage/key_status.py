"""The state of an organization's key: how it was saved, and what OpenAI said when it was last asked with it."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.credentials.tables import Credential
from glific_gpt.errors import InsufficientQuota, InvalidApiKey

RECENT = timedelta(days=30)
"""What OpenAI said longer ago says nothing of today."""

WORKED = "worked"
"""In the place of an error's code: OpenAI answered."""


class KeyState(StrEnum):
    """What there is to say of a key."""

    MISSING = "missing"
    INACTIVE = "inactive"
    REFUSED = "refused"
    OUT_OF_CREDIT = "out_of_credit"
    OK = "ok"
    UNVERIFIED = "unverified"
    """Nobody knows yet what OpenAI says to it."""


KEY_ERRORS = {InvalidApiKey.code: KeyState.REFUSED, InsufficientQuota.code: KeyState.OUT_OF_CREDIT}
"""The errors that speak of the key or its account; all others speak of the question, or of the moment."""


def last_key_result(
    organization_id: int | InstrumentedAttribute[int], saved_at: datetime | InstrumentedAttribute[datetime]
) -> Select[str]:
    """What OpenAI last said to the key that was saved then: the code of a complaint, or WORKED; no row for nothing."""
    is_complaint = Call.error_code.in_(KEY_ERRORS)
    return (
        select(case((is_complaint, Call.error_code), else_=WORKED))
        .where(Call.organization_id == organization_id)
        .where(Call.started_at >= now() - RECENT, Call.started_at >= saved_at)
        .where(or_(is_complaint, Call.model_used.is_not(None)))
        .order_by(Call.started_at.desc())
        .limit(1)
    )


def determine_key_state(credential: Credential | None, word: str | None) -> KeyState:
    """With OpenAI's last word to that key, None where it has said nothing."""
    if credential is None:
        return KeyState.MISSING
    if not credential.is_active:
        return KeyState.INACTIVE
    if word in KEY_ERRORS:
        return KEY_ERRORS[word]
    return KeyState.OK if word == WORKED or credential.verified_at else KeyState.UNVERIFIED


def last_worked_at(session: Session, organization_id: int) -> datetime | None:
    """When a call of the organization last had a good answer; None if none ever had."""
    mine = (Call.organization_id == organization_id, Call.status == "ok")
    return session.scalar(select(Call.started_at).where(*mine).order_by(Call.started_at.desc()).limit(1))
