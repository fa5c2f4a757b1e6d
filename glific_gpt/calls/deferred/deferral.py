"""Defer a call: make it durable work, and reply to its caller that the answer is pending."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from glific_gpt.calls import records, replays
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.background import PendingUpstreamCall, PendingUpstreamCalls
from glific_gpt.calls.execution import Outcome, pending_outcome
from glific_gpt.calls.records import AdmittedCall
from glific_gpt.database import execute_all, transaction
from glific_gpt.durable import WorkflowEngine
from glific_gpt.vault import Vault

ENGINE_THREADS = 10
START_TIMEOUT_SECONDS = 0.1
PENDING_WRITE_TIMEOUT_SECONDS = 0.2
"""Longest waits for the engine and for the database. Their sum fits into what is left of Glific's 5 seconds."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Deferrer:
    """Make calls pending: on arrival (`async`), or when the request's deadline has passed (`auto`)."""

    vault: Vault
    engine: WorkflowEngine
    upstream_calls: PendingUpstreamCalls
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ENGINE_THREADS, "deferral"))
    """For calls of the engine, which may be slow. Nothing in them waits for OpenAI."""

    def enqueue(self, admitted: AdmittedCall) -> Outcome:
        """Write row, limits and workflow in one transaction, and return the pending outcome. Raises GlificGptError."""
        with transaction() as session:
            reserved = records.create_record(session, admitted, "pending")
            outcome = self._write_pending(session, admitted, reserved, asked_at=None)
            self._enqueue_workflow(session, admitted)
        return outcome

    def defer(self, admitted: AdmittedCall, upstream: PendingUpstreamCall, reserved: Decimal) -> Outcome | None:
        """Return the pending outcome while OpenAI continues; None if it could not be written in time.

        The workflow starts before the row is written, and waits for the row. A promised answer therefore always has a
        workflow.
        """
        context = admitted.context
        # Before the workflow starts, which would otherwise ask OpenAI a second time.
        self.upstream_calls.add(upstream)
        started = self._start_workflow(context)
        try:
            with transaction(PENDING_WRITE_TIMEOUT_SECONDS) as session:
                records.mark_pending(session, context)
                outcome = self._write_pending(session, admitted, reserved, asked_at=context.started_at)
                if not started:
                    self._enqueue_workflow(session, admitted)
        except SQLAlchemyError as failure:
            # The commit may have succeeded without a reply. `delivery_records.is_expected` recognizes such a call,
            # because its row gets an error next.
            log.error("deferral_failed", call_id=context.call_id, reason=type(failure).__name__)
            upstream.resolve(deferred=False)
            self.upstream_calls.take(context.call_id)
            return None
        upstream.resolve(deferred=True)
        return outcome

    def _start_workflow(self, context: CallContext) -> bool:
        """Return whether this process runs the workflow; otherwise it is enqueued for any process."""
        call_id = context.call_id
        try:
            started = self.threads.submit(self.engine.start_workflow, call_id, call_id, context.organization_id)
            return started.result(START_TIMEOUT_SECONDS)
        except TimeoutError:
            # If the start succeeds later, the workflow is not run twice: the engine accepts a workflow id once.
            return False
        except Exception as failure:  # noqa: BLE001 - after any error, the call can still be enqueued
            log.error("workflow_start_failed", call_id=call_id, reason=type(failure).__name__)
            return False

    def _write_pending(
        self, session: Session, admitted: AdmittedCall, reserved: Decimal, asked_at: datetime | None
    ) -> Outcome:
        context = admitted.context
        outcome = pending_outcome(context.call_id)
        delivery_records.create(session, self.vault, context, admitted.parsed.body, reserved, asked_at)
        execute_all(session, replays.store_statements(self.vault, context.organization_id, admitted.inbound, outcome))
        return outcome

    def _enqueue_workflow(self, session: Session, admitted: AdmittedCall) -> None:
        session.flush()  # the engine inserts by plain SQL, which has to follow the rows of the call
        context = admitted.context
        self.engine.enqueue(session, context.call_id, context.call_id, context.organization_id)
