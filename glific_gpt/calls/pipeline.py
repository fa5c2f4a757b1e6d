"""The pipeline of a call: parse, admit, write the row, execute, finish the row."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from glific_gpt.calls import budget, call_counts, limits, records, replays
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.background import BackgroundCalls
from glific_gpt.calls.deferred.deferral import Deferrer
from glific_gpt.calls.execution import Outcome, Result, execute, to_outcome
from glific_gpt.calls.records import AdmittedCall
from glific_gpt.calls.request import ASYNC, AUTO, Admission, InboundCall
from glific_gpt.calls.request_limits import RequestLimits
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import (
    STATEMENT_TIMEOUT_SECONDS,
    UNAVAILABLE,
    GroupCommit,
    LateWrites,
    db,
    failures,
    run_transaction,
    transaction,
)
from glific_gpt.errors import MSG_DATABASE_UNAVAILABLE, DeadlineExceeded, GlificGptError, Overloaded, Unauthorized
from glific_gpt.runtime import bridge, call_context, event_loop
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

OPENAI_SHARE_OF_DEADLINE = 0.98
"""Share of a call's time that OpenAI may use. The rest is for writing the row and sending the answer."""

FINISH_TIMEOUT_SECONDS = 0.4
"""Longest wait for the database when a row is finished: the time left of Glific's 5 seconds after the deadline."""

DEFERRAL_SECONDS = 0.002
"""Time that one call adds to the deferral of many at the same moment. Measured on two cores, with PostgreSQL."""

ABANDON_AFTER_SECONDS = 5.0
"""A commit that has timed out has succeeded or failed by then."""

LATE_FINISH_TIMEOUT_SECONDS = 0.05
"""The same after a failed attempt to defer the call, which has used up most of that time."""

log = structlog.get_logger()


def request_deadline(settings: Settings, arrived_at: float | None = None) -> Deadline:
    """Return the deadline of a call that arrived at this time on `time.monotonic()`, by default now."""
    return Deadline.after(settings.deadline_seconds * OPENAI_SHARE_OF_DEADLINE, arrived_at)


@dataclass(frozen=True)
class Pipeline:
    """Run calls. The row is written before OpenAI is asked, and no transaction is open while it answers."""

    admission: Admission
    vault: Vault
    deferrer: Deferrer
    background: BackgroundCalls
    request_limits: RequestLimits
    # A transaction has one time-out, so writes with different time-outs have queues of their own.
    creation: GroupCommit = field(default_factory=lambda: GroupCommit(STATEMENT_TIMEOUT_SECONDS))
    completion: GroupCommit = field(default_factory=lambda: GroupCommit(FINISH_TIMEOUT_SECONDS))
    late_completion: GroupCommit = field(default_factory=lambda: GroupCommit(LATE_FINISH_TIMEOUT_SECONDS))
    late_writes: LateWrites = field(default_factory=LateWrites)
    """Writes of finished calls that failed in time. Without them, the money of a call would be given back."""

    def run(self, tenant: Tenant, inbound: InboundCall, context: CallContext) -> Outcome:
        """Return the recorded outcome, success or error.

        Raises Unauthorized if the body names another organization, or if this one was deleted meanwhile. Such a call
        is not recorded.
        """
        try:
            return self._run(tenant, inbound, context)
        except Unauthorized:
            raise
        except GlificGptError as error:
            return self.refuse(tenant, context, error)
        except UNAVAILABLE as failure:
            failures.log_failure(failure, call_id=context.call_id)
            unavailable = Overloaded(MSG_DATABASE_UNAVAILABLE, retry_after=1)
            self._abandon(context, unavailable)
            return to_outcome(tenant, context, unavailable)

    def _run(self, tenant: Tenant, inbound: InboundCall, context: CallContext) -> Outcome:
        """Raises GlificGptError and UNAVAILABLE until the row is written, and nothing afterwards."""
        context.mode = inbound.mode
        parsed = self.admission.parse(tenant, inbound, context)
        # Before the switches are checked: a stored answer is paid for, so it is returned even if they are off now.
        for each in inbound.with_each_key():
            if stored := replays.find_stored(self.vault, tenant.organization_id, each):
                return stored
        deadline = self._upstream_deadline(inbound)
        model = self.admission.bind_model(tenant, context, deadline)
        self.request_limits.count(tenant, context.contact_id)
        admitted = AdmittedCall(tenant, inbound, context, parsed)
        call = partial(execute, parsed.function, parsed.body, model, deadline, context)
        if inbound.mode == ASYNC or (
            inbound.mode == AUTO and not self.background.reserve(context.organization_id, inbound.weight)
        ):
            return self.deferrer.enqueue(admitted)
        if inbound.mode == AUTO:
            return self._answer_or_defer(admitted, call)
        self._create_record(admitted)
        result = self.background.run(call, blocks=parsed.function.blocks)
        return self._finish(admitted, result)

    def _upstream_deadline(self, inbound: InboundCall) -> Deadline:
        """The deadline for OpenAI: the call's own, or a longer one if the answer may be delivered later."""
        if inbound.mode == AUTO:
            return Deadline.after(self.admission.settings.deferred_timeout_seconds)
        return inbound.deadline

    def _create_record(self, admitted: AdmittedCall) -> None:
        """Write the row, and reserve money under a budget. Raises GlificGptError."""
        if limits.has_limits(admitted.tenant):
            budget.prepare_month(admitted.tenant, admitted.context)
            # Limits are counted in the transaction that writes the row, so these calls are not batched. The transaction
            # may wait for locks of other calls, so it must not run on the event loop.
            run_transaction(lambda: _create_counted_record(admitted))
        else:
            records.create_record_in_batch(self.creation, admitted)

    def _answer_or_defer(self, admitted: AdmittedCall, call: Callable[[], Result]) -> Outcome:
        """Answer within the request's deadline, or else make the call pending while OpenAI continues.

        The caller has reserved the call in `background`.
        """
        context, weight = admitted.context, admitted.inbound.weight
        try:
            self._create_record(admitted)
        except BaseException:
            self.background.release(context.organization_id, weight)
            raise
        future = self.background.start(context.organization_id, weight, call, blocks=admitted.parsed.function.blocks)
        try:
            with self.background.waiting_request() as number:
                # Earlier the more calls there are, because all of them may have to be deferred at the same moment.
                early = number * DEFERRAL_SECONDS
                result = bridge.result_of(future, max(0.0, admitted.inbound.deadline.remaining() - early))
        except TimeoutError:
            call_context.wait_until(None)  # the deferral has time-outs of its own
            try:
                pending = self.deferrer.defer(admitted, future)
            except Overloaded as refusal:
                return self._finish(admitted, refusal)
            return pending or self._finish(admitted, DeadlineExceeded(), self.late_completion)
        return self._finish(admitted, result)

    def _finish(self, admitted: AdmittedCall, result: Result, group: GroupCommit | None = None) -> Outcome:
        """Finish the row and return the outcome.

        The outcome is returned even if the row cannot be written in time, because the answer is paid for.
        """
        tenant, context = admitted.tenant, admitted.context
        outcome = to_outcome(tenant, context, result)
        error = result if isinstance(result, GlificGptError) else None
        statements = (
            *budget.settle_statements(context),
            records.finish_statement(context, error),
            *admitted.reply_statements(self.vault, outcome),
        )
        # The row waits for the database at most that long, whatever is left of the deadline.
        call_context.wait_until(time.monotonic() + FINISH_TIMEOUT_SECONDS)
        try:
            # Under a budget, concurrent calls write the same row of monthly_spend. A thread writes a large answer.
            alone = limits.has_limits(tenant) or outcome.is_large
            (group or self.completion).write(*statements, alone=alone)
            call_counts.count_ended(context, error)
        except SQLAlchemyError as failure:
            reason = failures.describe(failure).event
            log.error("record_finish_failed", call_id=context.call_id, reason=reason)
            self.late_writes.add(statements, then=lambda _: call_counts.count_ended(context, error))
        return outcome

    def _abandon(self, context: CallContext, error: GlificGptError) -> None:
        """Give the row the error that the caller gets, if a late commit has written it all the same.

        A deferred call would otherwise be answered and paid, although its flow was told that it has failed.
        """
        statement = records.abandon_statement(context, error)
        then = partial(call_counts.count_abandoned, context, error)
        event_loop.call_later(ABANDON_AFTER_SECONDS, partial(self.late_writes.add, [statement], db.engine, then=then))

    def refuse(self, tenant: Tenant, context: CallContext, error: GlificGptError) -> Outcome:
        """Record a call that failed before anything was spent, and return its outcome.

        No answer is stored for its idempotency key, because the flow may be corrected before the call is repeated.
        Raises Unauthorized if the organization was deleted meanwhile.
        """
        try:
            self.creation.write(records.failure_statement(context, error))
            call_counts.count_ended(context, error)
        except IntegrityError:
            raise Unauthorized from None
        except UNAVAILABLE as failure:
            failures.log_failure(failure, call_id=context.call_id)
            call_counts.count_refused(context.function, context.mode, error)
        return to_outcome(tenant, context, error)


def _create_counted_record(admitted: AdmittedCall) -> None:
    with transaction() as session:
        records.create_record(session, admitted)
