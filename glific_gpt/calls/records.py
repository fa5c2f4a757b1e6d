"""Records: the row of a call, written before OpenAI is asked and closed after."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.calls import limits, queries, replays
from glific_gpt.calls.context import ROW_GRACE_PERIOD, CallContext
from glific_gpt.calls.queries import NO_FILTERS, Filters
from glific_gpt.calls.request import InboundCall, ParsedCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import GroupCommit, Write, write_in
from glific_gpt.errors import CallInProgress, GlificGptError

PAGE_SIZE = 100


# On the table rather than its class, and built once: a third of the time that the database takes of a call.
CALLS = cast("Table", Call.__table__)
INSERT_CALL = CALLS.insert().inline()  # nobody asks for the number of the row
FINISH_CALL = CALLS.update().where(CALLS.c.call_id == bindparam("this_call"))


def insert_statement(facts: CallContext, seconds: float, status: str = "started") -> Write:
    """The row of a call that is about to ask OpenAI and has that many seconds left, or is pending."""
    return INSERT_CALL, _first(facts, status, seconds)


def mark_pending(session: Session, facts: CallContext) -> None:
    """For a call whose answer comes later after all."""
    session.execute(update(Call).where(Call.call_id == facts.call_id).values(status="pending"))


def record_answer(session: Session, facts: CallContext, error: GlificGptError | None) -> None:
    """What a pending call has used, and how it went; it stays pending until its flow has the answer."""
    known = _last(facts, error)
    del known["status"], known["duration_ms"]
    session.execute(update(Call).where(Call.call_id == facts.call_id).values(known))


def finish_pending(call: Call, error_code: str | None) -> None:
    """Its flow has the answer, or will never have it; an error of the call itself stands before the given one."""
    call.error_code = call.error_code or error_code
    call.status = "error" if call.error_code else "ok"
    call.duration_ms = round((now() - call.started_at).total_seconds() * 1000)


def finish_statement(facts: CallContext, error: GlificGptError | None) -> Write:
    """The end of a call whose row was opened."""
    return FINISH_CALL, _last(facts, error) | {"this_call": facts.call_id}


def failure_statement(facts: CallContext, error: GlificGptError) -> Write:
    """The whole row of a call that failed before OpenAI was asked."""
    return INSERT_CALL, _first(facts, "error", 0) | _last(facts, error)


def _first(facts: CallContext, status: str, seconds: float) -> dict[str, object]:
    return {
        "call_id": facts.call_id,
        "organization_id": facts.organization_id,
        "function": facts.function,
        "model_asked": facts.model_asked,
        "status": status,
        "started_at": facts.started_at,
        "give_up_at": now() + timedelta(seconds=seconds) + ROW_GRACE_PERIOD,
        "contact_id": facts.contact_id,
        "flow_id": facts.flow_id,
    }


def _last(facts: CallContext, error: GlificGptError | None) -> dict[str, object]:
    used = facts.usage.model is not None
    return {
        "status": "error" if error else "ok",
        "error_code": error.code if error else None,
        "model_used": facts.usage.model,
        "duration_ms": round((now() - facts.started_at).total_seconds() * 1000),
        "input_tokens": facts.usage.input_tokens if used else None,
        "output_tokens": facts.usage.output_tokens if used else None,
        "cost_usd": facts.cost() if used else None,
    }


def list_calls(
    session: Session,
    organization_id: int,
    *,
    limit: int = PAGE_SIZE,
    before: str | None = None,
    filters: Filters = NO_FILTERS,
) -> list[Call]:
    """Calls of an organization, newest first; those before the call of that id. Raises NotFound for an unknown one."""
    mark_interrupted(session)
    return queries.page(session, organization_id, limit=limit, before=before, filters=filters)


def mark_interrupted(session: Session) -> None:
    """Says of calls that nobody works on any more, because their process was killed, that they were interrupted."""
    session.execute(update(Call).where(Call.status == "started", Call.give_up_at < now()).values(status="interrupted"))


@dataclass(frozen=True)
class AdmittedCall:
    """A call that has passed every check but those of the limits."""

    tenant: Tenant
    inbound: InboundCall
    facts: CallContext
    understood: ParsedCall


def create_record(session: Session, ready: AdmittedCall, status: str = "started") -> Decimal:
    """Writes the row, counts the call, claims its key; returns what was set aside of the budget.

    Raises GlificGptError for a call that is one too many.
    """
    with _reject_duplicate():
        write_in(session, _creation_statements(ready, status))
    limits.check_contact(session, ready.tenant, ready.facts.contact_id)
    return limits.reserve(session, ready.tenant, ready.facts, ready.understood.body, len(ready.inbound.body))


def create_record_in_batch(group: GroupCommit, ready: AdmittedCall) -> None:
    """The same for a call that no limit counts, together with others. Raises CallInProgress."""
    with _reject_duplicate():
        group.write(*_creation_statements(ready, "started"))


def _creation_statements(ready: AdmittedCall, status: str) -> list[Write]:
    facts, inbound = ready.facts, ready.inbound
    row = insert_statement(facts, inbound.deadline.remaining(), status)
    return [row, *replays.claim_statements(facts.organization_id, inbound, facts.call_id)]


@contextmanager
def _reject_duplicate() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise CallInProgress(retry_after=1) from None
