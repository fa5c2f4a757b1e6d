"""The row of a call: written before OpenAI is asked, finished afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

from sqlalchemy import Table, bindparam, case, null, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.calls import budget, limits, replays
from glific_gpt.calls.call_counts import count_after_commit, count_deferred, count_interrupted
from glific_gpt.calls.context import ROW_GRACE_PERIOD, CallContext
from glific_gpt.calls.execution import Outcome
from glific_gpt.calls.request import MODES, InboundCall, ParsedCall
from glific_gpt.calls.tables import Call
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import now
from glific_gpt.database import GroupCommit, Statement, execute_all
from glific_gpt.errors import CallInProgress, GlificGptError
from glific_gpt.vault import Vault

# Statements on the table instead of the class, built once: SQLAlchemy's ORM took a third of a call's database time.
CALLS = cast("Table", Call.__table__)
INSERT_CALL = CALLS.insert().inline()  # inline: the row's number is not needed, so it is not fetched
_KEPT_CONTACT = case((CALLS.c.contact_forgotten, null()), else_=CALLS.c.contact_id)
"""The contact of a call that ends. One that was forgotten meanwhile is removed."""
_THIS_CALL = CALLS.c.call_id == bindparam("this_call")
FINISH_CALL = CALLS.update().where(_THIS_CALL).values(contact_id=_KEPT_CONTACT)
ABANDON_CALL = FINISH_CALL.where(or_(CALLS.c.status == "started", CALLS.c.status == "pending"))
MARK_PENDING = CALLS.update().where(_THIS_CALL, CALLS.c.status == "started").values(status="pending")


MAX_DETAIL_LENGTH = 200
LONG_NUMBER = re.compile(r"[0-9]{6}")
"""In place of a variable's name, a person can write @contact. and a number."""


@dataclass(frozen=True)
class AdmittedCall:
    """A call that passed every check except the limits, which are checked in the transaction that writes its row."""

    tenant: Tenant
    inbound: InboundCall
    context: CallContext
    parsed: ParsedCall

    def reply_statements(self, vault: Vault, outcome: Outcome) -> list[Statement]:
        """Store the reply for repetitions of the call."""
        return [
            statement
            for each in self.inbound.with_each_key()
            for statement in replays.store_statements(
                vault,
                self.context.organization_id,
                each,
                outcome,
                self.tenant.fallback_message,
                self.context.answer_key,
            )
        ]


def create_record(session: Session, admitted: AdmittedCall, status: str = "started") -> None:
    """Write the row, claim the idempotency key, check the limits, and reserve money under a budget.

    Raises CallInProgress for a duplicate, ContactLimit and BudgetExceeded.
    """
    # The row comes first: the limit of the contact counts it, and on SQLite it takes the write lock.
    with reject_duplicate():
        execute_all(session, creation_statements(admitted, status))
    limits.check_contact(session, admitted.tenant, admitted.context.contact_id)
    admitted.context.allowance = budget.reserve(session, admitted.tenant, admitted.context, admitted.parsed)


def create_record_in_batch(group: GroupCommit, admitted: AdmittedCall) -> None:
    """Write the row of a call that no limit counts, in one transaction with concurrent calls. Raises CallInProgress."""
    with reject_duplicate():
        group.write(*creation_statements(admitted, "started"))


def creation_statements(admitted: AdmittedCall, status: str) -> list[Statement]:
    """Write the row of a call that no limit counts, and claim its idempotency key."""
    context, inbound = admitted.context, admitted.inbound
    row = insert_statement(context, inbound.deadline.remaining(), status)
    return [
        row,
        *(
            statement
            for each in inbound.with_each_key()
            for statement in replays.claim_statements(context.organization_id, each, context.call_id)
        ),
    ]


@contextmanager
def reject_duplicate() -> Iterator[None]:
    """Raise CallInProgress for a claimed idempotency key.

    The unique key of the claim decides between two copies of a call that arrive at the same time.
    """
    try:
        yield
    except IntegrityError:
        raise CallInProgress(retry_after=1) from None


def insert_statement(context: CallContext, seconds: float, status: str = "started") -> Statement:
    """Insert the row of a call that has `seconds` left to answer, or that is pending."""
    return INSERT_CALL, _initial_values(context, status, seconds)


def finish_statement(context: CallContext, error: GlificGptError | None) -> Statement:
    """Finish the row of a call, with its error if it has one."""
    return FINISH_CALL, _final_values(context, error) | {"this_call": context.call_id}


def failure_statement(context: CallContext, error: GlificGptError) -> Statement:
    """Insert the complete row of a call that failed before OpenAI was asked."""
    return INSERT_CALL, _initial_values(context, "error", 0) | _final_values(context, error)


def abandon_statement(context: CallContext, error: GlificGptError) -> Statement:
    """Finish the row of a call with an error, if the row exists and the call has not ended."""
    return ABANDON_CALL, _final_values(context, error) | {"this_call": context.call_id}


def pending_statement(context: CallContext) -> Statement:
    """Mark a started call as pending: its answer is delivered later. A call that has an error meanwhile keeps it."""
    return MARK_PENDING, {"this_call": context.call_id}


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
    if call.contact_forgotten:
        call.contact_id = None
    # By the system's clock, which all processes share. It may have been set back meanwhile.
    call.duration_ms = max(0, round((now() - call.started_at).total_seconds() * 1000))
    count_deferred(call)


def mark_test(session: Session, organization_id: int, call_id: str) -> None:
    """Mark a call as a test question."""
    this_call = (Call.organization_id == organization_id, Call.call_id == call_id)
    session.execute(update(Call).where(*this_call).values(is_test=True))


def mark_interrupted(session: Session) -> None:
    """Mark calls of killed processes as interrupted: they are still `started` after their deadline."""
    dead = update(Call).where(Call.status == "started", Call.give_up_at < now())
    dead = dead.values(status="interrupted", contact_id=_KEPT_CONTACT)
    calls = session.execute(dead.returning(Call.function, Call.mode)).all()
    count_after_commit(session, partial(count_interrupted, [(call.function, call.mode) for call in calls]))


def _initial_values(context: CallContext, status: str, seconds: float) -> dict[str, object]:
    return {
        "call_id": context.call_id,
        "organization_id": context.organization_id,
        "function": context.function,
        "mode": context.mode if context.mode in MODES else None,
        "model_asked": context.model_asked,
        "status": status,
        "started_at": context.started_at,
        "give_up_at": now() + timedelta(seconds=seconds) + ROW_GRACE_PERIOD,
        "contact_id": context.contact_id,
        "flow_id": context.flow_id,
        "is_test": context.is_test,
    }


def _final_values(context: CallContext, error: GlificGptError | None) -> dict[str, object]:
    used = context.usage.model is not None and not context.usage.is_incomplete
    fallback = context.usage.fallback
    cause = fallback.cause if fallback else None
    return {
        "status": "error" if error else "ok",
        "error_code": error.code if error else None,
        "fallback_reason": fallback.reason if fallback else None,
        "cause": error.cause if error else cause,
        "error_detail": _storable_detail(error),
        "model_used": context.usage.model,
        "duration_ms": context.duration_ms(),
        "input_tokens": context.usage.input_tokens if used else None,
        "output_tokens": context.usage.output_tokens if used else None,
        "cost_usd": context.cost() if used else None,
        "cut_off": context.usage.cut_off,
    }


def _storable_detail(error: GlificGptError | None) -> str | None:
    """Return the names of the field and the variable, without the names that may hold a phone number."""
    if error is None or error.detail is None or LONG_NUMBER.search(error.detail):
        return None
    return error.detail[:MAX_DETAIL_LENGTH]
