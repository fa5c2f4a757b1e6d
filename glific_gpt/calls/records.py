"""The row of a call: written before OpenAI is asked, finished afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.calls import limits, replays
from glific_gpt.calls.context import ROW_GRACE_PERIOD, CallContext
from glific_gpt.calls.request import InboundCall, ParsedCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import GroupCommit, Statement, execute_all
from glific_gpt.errors import CallInProgress, GlificGptError

# Statements on the table instead of the class, built once: SQLAlchemy's ORM took a third of a call's database time.
CALLS = cast("Table", Call.__table__)
INSERT_CALL = CALLS.insert().inline()  # inline: the row's number is not needed, so it is not fetched
FINISH_CALL = CALLS.update().where(CALLS.c.call_id == bindparam("this_call"))


@dataclass(frozen=True)
class AdmittedCall:
    """A call that passed every check except the limits, which are checked in the transaction that writes its row."""

    tenant: Tenant
    inbound: InboundCall
    context: CallContext
    parsed: ParsedCall


def create_record(session: Session, admitted: AdmittedCall, status: str = "started") -> Decimal:
    """Write the row, claim the idempotency key, check the limits, and return the reserved budget in US dollars.

    Raises CallInProgress for a duplicate, ContactLimit and BudgetExceeded.
    """
    # The row comes first: the limit of the contact counts it, and on SQLite it takes the write lock.
    with _reject_duplicate():
        execute_all(session, _creation_statements(admitted, status))
    limits.check_contact(session, admitted.tenant, admitted.context.contact_id)
    return limits.reserve(session, admitted.tenant, admitted.context, admitted.parsed.body, len(admitted.inbound.body))


def create_record_in_batch(group: GroupCommit, admitted: AdmittedCall) -> None:
    """Write the row of a call that no limit counts, in one transaction with concurrent calls. Raises CallInProgress."""
    with _reject_duplicate():
        group.write(*_creation_statements(admitted, "started"))


def insert_statement(context: CallContext, seconds: float, status: str = "started") -> Statement:
    """Insert the row of a call that has `seconds` left to answer, or that is pending."""
    return INSERT_CALL, _initial_values(context, status, seconds)


def finish_statement(context: CallContext, error: GlificGptError | None) -> Statement:
    """Finish the row of a call, with its error if it has one."""
    return FINISH_CALL, _final_values(context, error) | {"this_call": context.call_id}


def failure_statement(context: CallContext, error: GlificGptError) -> Statement:
    """Insert the complete row of a call that failed before OpenAI was asked."""
    return INSERT_CALL, _initial_values(context, "error", 0) | _final_values(context, error)


def mark_pending(session: Session, context: CallContext) -> None:
    """Mark a started call as one whose answer is delivered later."""
    session.execute(update(Call).where(Call.call_id == context.call_id).values(status="pending"))


def record_answer(session: Session, context: CallContext, error: GlificGptError | None) -> None:
    """Record usage and error of a pending call. It stays pending until its flow has the answer."""
    values = _final_values(context, error)
    # `finish_pending` sets these after the delivery, because the duration of a call includes it.
    del values["status"], values["duration_ms"]
    session.execute(update(Call).where(Call.call_id == context.call_id).values(values))


def finish_pending(call: Call, error_code: str | None) -> None:
    """Finish a pending call when its delivery has ended. An error of the call itself outranks `error_code`."""
    call.error_code = call.error_code or error_code
    call.status = "error" if call.error_code else "ok"
    call.duration_ms = round((now() - call.started_at).total_seconds() * 1000)


def mark_interrupted(session: Session) -> None:
    """Mark calls whose process was killed as interrupted: they are still `started` after their deadline."""
    session.execute(update(Call).where(Call.status == "started", Call.give_up_at < now()).values(status="interrupted"))


def _creation_statements(admitted: AdmittedCall, status: str) -> list[Statement]:
    context, inbound = admitted.context, admitted.inbound
    row = insert_statement(context, inbound.deadline.remaining(), status)
    return [row, *replays.claim_statements(context.organization_id, inbound, context.call_id)]


@contextmanager
def _reject_duplicate() -> Iterator[None]:
    """The unique key of the claim decides between two copies of a call that arrive at the same time."""
    try:
        yield
    except IntegrityError:
        raise CallInProgress(retry_after=1) from None


def _initial_values(context: CallContext, status: str, seconds: float) -> dict[str, object]:
    return {
        "call_id": context.call_id,
        "organization_id": context.organization_id,
        "function": context.function,
        "model_asked": context.model_asked,
        "status": status,
        "started_at": context.started_at,
        "give_up_at": now() + timedelta(seconds=seconds) + ROW_GRACE_PERIOD,
        "contact_id": context.contact_id,
        "flow_id": context.flow_id,
    }


def _final_values(context: CallContext, error: GlificGptError | None) -> dict[str, object]:
    used = context.usage.model is not None
    return {
        "status": "error" if error else "ok",
        "error_code": error.code if error else None,
        "model_used": context.usage.model,
        "duration_ms": round((now() - context.started_at).total_seconds() * 1000),
        "input_tokens": context.usage.input_tokens if used else None,
        "output_tokens": context.usage.output_tokens if used else None,
        "cost_usd": context.cost() if used else None,
    }
