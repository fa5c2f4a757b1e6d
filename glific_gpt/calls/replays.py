"""Replays: the same call, sent again within a quarter of an hour, gets the stored answer and asks OpenAI nothing."""

import hashlib
import json
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, and_, bindparam, delete, or_, select
from sqlalchemy.orm import Session

from glific_gpt.bridge import in_thread
from glific_gpt.calls.context import ROW_GRACE_PERIOD
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tables import StoredReply
from glific_gpt.clock import now
from glific_gpt.database import Write, lookup, transaction
from glific_gpt.errors import CallInProgress
from glific_gpt.vault import UnreadableSecret, Vault

RETENTION = timedelta(minutes=15)
PURPOSE = "stored_reply"

# Built once, as in `records.py`: Glific signs every call, so all of them have a key.
TABLE = cast("Table", StoredReply.__table__)
_THIS_KEY = and_(TABLE.c.organization_id == bindparam("of_organization"), TABLE.c.key_hash == bindparam("of_key_hash"))
_ABANDONED = and_(TABLE.c.status.is_(None), TABLE.c.give_up_at < bindparam("at"))
FIND_REPLY = select(TABLE.c.status, TABLE.c.body, TABLE.c.give_up_at).where(_THIS_KEY, TABLE.c.expires_at > bindparam("at"))
DELETE_EXPIRED = delete(TABLE).where(_THIS_KEY, or_(TABLE.c.expires_at < bindparam("at"), _ABANDONED))
INSERT_CLAIM = TABLE.insert().inline()
STORE_REPLY = TABLE.update().where(_THIS_KEY, TABLE.c.call_id == bindparam("of_call"))


def find_stored(vault: Vault, organization_id: int, inbound: InboundCall) -> Outcome | None:
    """The stored answer of a call with a key. Raises CallInProgress while the first call is being answered."""
    if inbound.idempotency_key is None:
        return None
    store_statements = lookup(FIND_REPLY, **_key(organization_id, inbound), at=now())
    if store_statements is None:
        return None
    if store_statements["body"] is not None:
        return _read(vault, organization_id, inbound, store_statements)
    if store_statements["give_up_at"] > now():
        raise CallInProgress(retry_after=1)
    return None


def claim_statements(organization_id: int, inbound: InboundCall, call_id: str) -> list[Write]:
    """Makes this call the one that answers for the key; an IntegrityError says that another one was faster.

    What has expired under the key goes, and what a killed process has left there.
    """
    if inbound.idempotency_key is None:
        return []
    key, at = _key(organization_id, inbound), now()
    row = {
        "organization_id": organization_id,
        "key_hash": key["of_key_hash"],
        "call_id": call_id,
        "give_up_at": at + timedelta(seconds=inbound.deadline.remaining()) + ROW_GRACE_PERIOD,
        "expires_at": at + RETENTION,
    }
    return [(DELETE_EXPIRED, key | {"at": at}), (INSERT_CLAIM, row)]


def store_statements(vault: Vault, organization_id: int, inbound: InboundCall, outcome: Outcome) -> list[Write]:
    """Keeps the answer, encrypted for the organization.

    A call that was given up as lost may end late: by then the key may be another call's, which keeps it.
    """
    if inbound.idempotency_key is None:
        return []
    plain = json.dumps({"body": outcome.body, "retry_after": outcome.retry_after})
    kept = {"status": outcome.status, "body": vault.encrypt(organization_id, PURPOSE, plain)}
    return [(STORE_REPLY, _key(organization_id, inbound) | {"of_call": outcome.body["call_id"]} | kept)]


def purge(session: Session) -> None:
    """Deletes every answer whose quarter of an hour is over."""
    session.execute(delete(StoredReply).where(StoredReply.expires_at < now()))


def _key(organization_id: int, inbound: InboundCall) -> dict[str, object]:
    """Under what an answer is stored: the same key means another call at another function."""
    name = f"{inbound.function}\n{inbound.idempotency_key}"
    key_hash = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return {"of_organization": organization_id, "of_key_hash": key_hash}


def _read(vault: Vault, organization_id: int, inbound: InboundCall, stored: dict[str, Any]) -> Outcome | None:
    """The answer; one that no master key reads any more makes room for a new one."""
    try:
        reply = json.loads(vault.decrypt(organization_id, PURPOSE, store_statements["body"]))
    except UnreadableSecret:
        in_thread(lambda: _forget(organization_id, inbound))
        return None
    return Outcome(store_statements["status"], reply["body"], reply["retry_after"], replayed=True)


def _forget(organization_id: int, inbound: InboundCall) -> None:
    with transaction() as session:
        session.execute(delete(TABLE).where(_THIS_KEY), _key(organization_id, inbound))
