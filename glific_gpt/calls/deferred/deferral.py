"""Defer a call: make it durable work, and reply to its caller that the answer is pending."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from glific_gpt.calls import budget, limits, records
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.late_answers import LateAnswers
from glific_gpt.calls.deferred.waiting_limit import WaitingLimit
from glific_gpt.calls.execution import Outcome, Result, pending_outcome
from glific_gpt.calls.records import AdmittedCall
from glific_gpt.database import (
    STATEMENT_TIMEOUT_SECONDS,
    GroupTransaction,
    Statement,
    Work,
    execute_all,
    run_large,
    run_transaction,
    transaction,
)
from glific_gpt.durable import WorkflowEngine
from glific_gpt.runtime import cpu_bound
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

ENQUEUE_QUEUE_TIMEOUT_SECONDS = 2.0
"""Longest wait of an `async` call for the transactions of earlier ones."""

DEFER_STATEMENT_TIMEOUT_SECONDS = 0.2
DEFER_QUEUE_TIMEOUT_SECONDS = 0.2
"""The same for an `auto` call whose deadline has passed. Their sum fits into what is left of Glific's 5 seconds."""

RELEASE_MARGIN_SECONDS = 30.0
"""A workflow that this process has not released runs this long after the time limit of its answer."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Deferrer:
    """Make calls pending: on arrival (`async`), or when the request's deadline has passed (`auto`)."""

    settings: Settings
    vault: Vault
    engine: WorkflowEngine
    late_answers: LateAnswers
    waiting_limit: WaitingLimit
    enqueuing: GroupTransaction = field(
        default_factory=lambda: GroupTransaction(STATEMENT_TIMEOUT_SECONDS, ENQUEUE_QUEUE_TIMEOUT_SECONDS)
    )
    deferring: GroupTransaction = field(
        default_factory=lambda: GroupTransaction(DEFER_STATEMENT_TIMEOUT_SECONDS, DEFER_QUEUE_TIMEOUT_SECONDS)
    )

    def enqueue(self, admitted: AdmittedCall) -> Outcome:
        """Write row, limits and workflow in one transaction, and return the pending outcome. Raises GlificGptError."""
        context = admitted.context
        outcome = pending_outcome(context)
        delivery = self._delivery_statement(admitted, asked_at=None)
        statements = [delivery, *admitted.reply_statements(self.vault, outcome)]
        creation = records.creation_statements(admitted, "pending")
        work = _work(context, [*creation, *statements], delivery)

        def write_alone() -> None:
            with transaction() as session:
                self.waiting_limit.check(session, [work])
                if work.refusal:
                    raise work.refusal
                records.create_record(session, admitted, "pending")
                execute_all(session, statements)
                self._enqueue_workflows(session, [work])

        if limits.has_limits(admitted.tenant):
            budget.prepare_month(admitted.tenant, context)
            # It may wait for locks of other calls, which a shared transaction would make all its calls do.
            if work.is_large:
                run_large(work.owner, write_alone, ENQUEUE_QUEUE_TIMEOUT_SECONDS)
            else:
                run_transaction(write_alone)
        else:
            with records.reject_duplicate():
                self.enqueuing.run(work, self.waiting_limit.check, self._enqueue_workflows)
        return outcome

    def _enqueue_workflows(self, session: Session, batch: Sequence[Work]) -> None:
        self.engine.enqueue_all(session, [(work.key, work.owner) for work in batch])

    def defer(self, admitted: AdmittedCall, answer: "Future[Result]") -> Outcome | None:
        """Return the pending outcome while OpenAI continues; None if it could not be written in time.

        Raises Overloaded beyond the limit of waiting calls. The answer is lost then: there is no space for it,
        and the request is over.
        """
        context = admitted.context
        outcome = pending_outcome(context)
        delivery = self._delivery_statement(admitted, asked_at=context.started_at)
        replies = admitted.reply_statements(self.vault, outcome)
        work = _work(context, [records.pending_statement(context), delivery, *replies], delivery)
        try:
            self.deferring.run(work, self.waiting_limit.check_briefly, self._hold_workflows)
        except SQLAlchemyError as failure:
            # The commit may have succeeded without a reply. `delivery_records.is_expected` recognizes such a call,
            # because its row gets an error next.
            log.error("deferral_failed", call_id=context.call_id, reason=type(failure).__name__)
            return None
        # Another process may ask OpenAI too, if this one cannot hold the workflow. The first answer counts.
        self.late_answers.expect(admitted.tenant, context, answer, self.settings.deferred_timeout_seconds)
        return outcome

    def _hold_workflows(self, session: Session, batch: Sequence[Work]) -> None:
        seconds = self.settings.deferred_timeout_seconds + RELEASE_MARGIN_SECONDS
        for work in batch:
            self.engine.hold(session, work.key, work.key, work.owner, seconds)

    def _delivery_statement(self, admitted: AdmittedCall, asked_at: datetime | None) -> Statement:
        context, body = admitted.context, admitted.parsed.body
        # To encode and encrypt a large question takes long, and would stop the event loop.
        return cpu_bound.run(
            lambda: delivery_records.insert_statement(self.vault, context, body, asked_at),
            is_long=admitted.inbound.weight > 1,
        )


def _work(context: CallContext, statements: list[Statement], delivery: Statement) -> Work:
    return Work(statements, context.call_id, context.organization_id, cast("int", delivery[1]["stored_bytes"]))
