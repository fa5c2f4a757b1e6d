"""Idempotency: a call that is repeated within 15 minutes gets the stored answer, without asking OpenAI again."""

import hashlib
import json
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, or_, select
from sqlalchemy.orm import Session

from glific_gpt.calls.context import ROW_GRACE_PERIOD
from glific_gpt.calls.execution import Outcome, error_outcome
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.stored_reply_limit import MAX_BYTES_IN_TOTAL, StoredReplyLimit
from glific_gpt.calls.tables import StoredReply
from glific_gpt.clock import now
from glific_gpt.database import Statement, delete_batch, fetch_one
from glific_gpt.errors import CallInProgress, IdempotencyMismatch, RateLimited
from glific_gpt.runtime import cpu_bound
from glific_gpt.vault import Vault

RETENTION = timedelta(minutes=15)
PURPOSE = "stored_reply"
MSG_NOT_STORED = (
    "The first answer to this call was not stored, because the answers to the organization were too large or too many "
    "in the last 15 minutes. Send the question as a new call, and ask for shorter answers."
)
large_reply_limit = StoredReplyLimit(RETENTION)
total_limit = StoredReplyLimit(RETENTION, MAX_BYTES_IN_TOTAL, min_bytes=0)

# Built once, as in `records.py`. Glific signs every call, so nearly every call has a key.
REPLIES = cast("Table", StoredReply.__table__)
_THIS_KEY = and_(
    REPLIES.c.organization_id == bindparam("of_organization"), REPLIES.c.key_hash == bindparam("of_key_hash")
)
_ABANDONED = and_(REPLIES.c.status.is_(None), REPLIES.c.give_up_at < bindparam("at"))
FIND_REPLY = select(REPLIES.c.status, REPLIES.c.body, REPLIES.c.give_up_at, REPLIES.c.request_hash).where(
    _THIS_KEY, REPLIES.c.expires_at > bindparam("at")
)
DELETE_EXPIRED = delete(REPLIES).where(_THIS_KEY, or_(REPLIES.c.expires_at < bindparam("at"), _ABANDONED))
INSERT_CLAIM = REPLIES.insert().inline()
STORE_REPLY = REPLIES.update().where(_THIS_KEY, REPLIES.c.call_id == bindparam("of_call"))
RELEASE_CLAIM = delete(REPLIES).where(_THIS_KEY, REPLIES.c.call_id == bindparam("of_call"))


def find_stored(vault: Vault, organization_id: int, inbound: InboundCall) -> Outcome | None:
    """Return the stored answer for the call's key.

    Raises IdempotencyMismatch if the first call had another body, CallInProgress while it is being answered, and
    NotReady.
    """
    if inbound.idempotency_key is None:
        return None
    stored = fetch_one(FIND_REPLY, **_key(organization_id, inbound), at=now())
    if stored is None:
        return None
    # NULL for calls of older processes.
    if stored["request_hash"] not in {None, _request_hash(inbound)}:
        raise IdempotencyMismatch
    if stored["body"] is not None:
        return _read(vault, organization_id, stored)
    if stored["give_up_at"] > now():
        raise CallInProgress(retry_after=1)
    return None


def claim_statements(organization_id: int, inbound: InboundCall, call_id: str) -> list[Statement]:
    """Claim the key for this call; an IntegrityError on execution means that a concurrent call claimed it first.

    Expired answers under the key are deleted, and so are claims of killed processes.
    """
    if inbound.idempotency_key is None:
        return []
    key, at = _key(organization_id, inbound), now()
    row = {
        "organization_id": organization_id,
        "key_hash": key["of_key_hash"],
        "call_id": call_id,
        "request_hash": _request_hash(inbound),
        "give_up_at": at + timedelta(seconds=inbound.deadline.remaining()) + ROW_GRACE_PERIOD,
        "expires_at": at + RETENTION,
    }
    # In this order: the unique key would otherwise refuse the claim because of an expired one.
    return [(DELETE_EXPIRED, key | {"at": at}), (INSERT_CLAIM, row)]


def store_statements(
    vault: Vault,
    organization_id: int,
    inbound: InboundCall,
    outcome: Outcome,
    fallback: str | None = None,
    answer_key: str | None = None,
) -> list[Statement]:
    """Store the answer, encrypted for the organization. A temporary error releases the key instead.

    If the organization has stored too much, an error with the `fallback` message is stored instead. A repetition gets
    this error and is not paid for again.

    A call that was considered lost may still finish. By then another call may hold the key, and its answer is kept.
    """
    if inbound.idempotency_key is None:
        return []

    this_call = _key(organization_id, inbound) | {"of_call": outcome.body["call_id"]}
    if not outcome.is_kept:
        return [(RELEASE_CLAIM, this_call)]

    status, ciphertext = outcome.status, _encrypt(vault, organization_id, outcome)
    size = len(ciphertext)
    if not (large_reply_limit.admit(organization_id, size) and total_limit.admit(organization_id, size)):
        error = RateLimited(MSG_NOT_STORED, retry_after=round(RETENTION.total_seconds()))
        refusal = error_outcome(str(outcome.body["call_id"]), error, fallback, answer_key)
        status, ciphertext = refusal.status, _encrypt(vault, organization_id, refusal)
    return [(STORE_REPLY, this_call | {"status": status, "body": ciphertext})]


def purge(session: Session) -> int:
    """Delete a batch of answers that are older than 15 minutes, and return their number."""
    return delete_batch(session, StoredReply, StoredReply.expires_at, now())


def _key(organization_id: int, inbound: InboundCall) -> dict[str, object]:
    """Parameters that identify an answer. The function is part of the key: another function is another call."""
    name = f"{inbound.function}\n{inbound.idempotency_key}"
    key_hash = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return {"of_organization": organization_id, "of_key_hash": key_hash}


def _request_hash(inbound: InboundCall) -> str:
    """Return a hash of the body. The key is part of it, so that equal questions of other calls have other hashes."""
    key = f"{inbound.idempotency_key}\n".encode("utf-8", "surrogatepass")
    return hashlib.sha256(key + inbound.body).hexdigest()


def _encrypt(vault: Vault, organization_id: int, outcome: Outcome) -> str:
    def encrypt() -> str:
        plain = json.dumps({"body": outcome.body, "retry_after": outcome.retry_after})
        return vault.encrypt(organization_id, PURPOSE, plain)

    return cpu_bound.run(encrypt, is_long=outcome.is_large)


def _read(vault: Vault, organization_id: int, stored: dict[str, Any]) -> Outcome:
    """Decrypt the answer. Raises NotReady if another process has encrypted it with a key that this one lacks."""

    def decrypt() -> Any:
        return json.loads(vault.decrypt(organization_id, PURPOSE, stored["body"]))

    reply = cpu_bound.run(decrypt, is_long=len(stored["body"]) > cpu_bound.LARGE_CHARACTERS)
    return Outcome(stored["status"], reply["body"], reply["retry_after"], replayed=True)
