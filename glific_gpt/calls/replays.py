"""Replays: the same call, sent again within a quarter of an hour, gets the stored answer and asks OpenAI nothing."""

import hashlib
import json
from datetime import timedelta

from sqlalchemy import Select, and_, delete, or_
from sqlalchemy.orm import Session

from glific_gpt.calls.inbound import Inbound
from glific_gpt.calls.outcome import Outcome
from glific_gpt.calls.records import GRACE
from glific_gpt.calls.tables import StoredReply
from glific_gpt.clock import now
from glific_gpt.database import insert_if_absent, owned
from glific_gpt.errors import CallInProgress
from glific_gpt.vault import UnreadableSecret, Vault

KEPT = timedelta(minutes=15)
PURPOSE = "stored_reply"


def find(session: Session, vault: Vault, organization_id: int, inbound: Inbound) -> Outcome | None:
    """The stored answer of a call with a key. Raises CallInProgress while the first call is being answered."""
    stored = session.scalar(_stored(organization_id, inbound).where(StoredReply.expires_at > now()))
    if stored is None:
        return None
    if stored.status is not None and stored.body is not None:
        return _read(session, vault, stored)
    if stored.give_up_at > now():
        raise CallInProgress(retry_after=1)
    return None


def claim(session: Session, organization_id: int, inbound: Inbound, call_id: str) -> None:
    """Makes this call the one that answers for the key. Raises CallInProgress when another one is faster."""
    if inbound.idempotency_key is None:
        return
    _make_room(session, organization_id, inbound)
    row = StoredReply(
        organization_id=organization_id,
        key_hash=_key_hash(inbound),
        call_id=call_id,
        give_up_at=now() + timedelta(seconds=inbound.deadline.remaining()) + GRACE,
        expires_at=now() + KEPT,
    )
    if not insert_if_absent(session, row):
        raise CallInProgress(retry_after=1)


def store(session: Session, vault: Vault, organization_id: int, inbound: Inbound, outcome: Outcome) -> None:
    """Keeps the answer, encrypted for the organization."""
    if inbound.idempotency_key is None:
        return
    # A call that was given up as lost may end late: by then the key may be another call's.
    stored = session.scalar(_stored(organization_id, inbound).where(StoredReply.call_id == outcome.body["call_id"]))
    if stored is not None:
        plain = json.dumps({"body": outcome.body, "retry_after": outcome.retry_after})
        stored.status, stored.body = outcome.status, vault.encrypt(organization_id, PURPOSE, plain)


def _stored(organization_id: int, inbound: Inbound) -> Select[StoredReply]:
    return owned(StoredReply, organization_id).where(StoredReply.key_hash == _key_hash(inbound))


def _key_hash(inbound: Inbound) -> str:
    """Under what an answer is stored: the same key means another call at another function."""
    name = f"{inbound.function}\n{inbound.idempotency_key}"
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _make_room(session: Session, organization_id: int, inbound: Inbound) -> None:
    """Deletes what has expired under this key, and what a killed process has left there."""
    abandoned = and_(StoredReply.status.is_(None), StoredReply.give_up_at < now())
    this_key = (StoredReply.organization_id == organization_id, StoredReply.key_hash == _key_hash(inbound))
    session.execute(delete(StoredReply).where(*this_key, or_(StoredReply.expires_at < now(), abandoned)))


def purge(session: Session) -> None:
    """Deletes every answer whose quarter of an hour is over."""
    session.execute(delete(StoredReply).where(StoredReply.expires_at < now()))


def _read(session: Session, vault: Vault, stored: StoredReply) -> Outcome | None:
    """The answer; one that no master key reads any more makes room for a new one."""
    try:
        reply = json.loads(vault.decrypt(stored.organization_id, PURPOSE, stored.body or ""))
    except UnreadableSecret:
        session.delete(stored)
        return None
    return Outcome(stored.status or 0, reply["body"], reply["retry_after"], replayed=True)
