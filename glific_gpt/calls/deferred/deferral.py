"""Handing over: a call becomes durable work, and its caller is told that the answer comes later."""

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
from glific_gpt.calls.records import AdmittedCall, create_record
from glific_gpt.database import transaction, write_in
from glific_gpt.durable import Engine
from glific_gpt.vault import Vault

log = structlog.get_logger()

ENGINE_THREADS = 10
START_TIMEOUT_SECONDS = 0.1
PENDING_WRITE_TIMEOUT_SECONDS = 0.2
"""How long each may wait for the database: together less than is left of Glific's five seconds."""


@dataclass(frozen=True)
class Deferrer:
    """Both ways to become pending: at once, or when the time of the request is over."""

    vault: Vault
    engine: Engine
    in_flight: PendingUpstreamCalls
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(ENGINE_THREADS, "handing-over"))
    """For the engine, which may be slow, and for nothing that waits for OpenAI."""

    def accept(self, ready: AdmittedCall) -> Outcome:
        """Pending, and in the queue: row, limits and work in one transaction. Raises GlificGptError."""
        with transaction() as session:
            reserved = create_record(session, ready, "pending")
            outcome = self._promise(session, ready, reserved, asked_at=None)
            self._enqueue(session, ready)
        return outcome

    def hand_over(self, ready: AdmittedCall, flight: PendingUpstreamCall, reserved: Decimal) -> Outcome | None:
        """Pending, while the same call to OpenAI goes on; None when that could not be made sure of in time.

        The work begins before the promise is written down, and waits for it: so nothing that was promised can
        be lost in between.
        """
        self.in_flight.add(flight)
        begun = self._begin(ready.facts)
        try:
            with transaction(PENDING_WRITE_TIMEOUT_SECONDS) as session:
                records.mark_pending(session, ready.facts)
                outcome = self._promise(session, ready, reserved, asked_at=ready.facts.started_at)
                if not begun:
                    self._enqueue(session, ready)
        except SQLAlchemyError as failure:
            log.error("not_handed_over", call_id=ready.facts.call_id, reason=type(failure).__name__)
            flight.decide(handed_over=False)
            self.in_flight.take(ready.facts.call_id)
            return None
        flight.decide(handed_over=True)
        return outcome

    def _begin(self, facts: CallContext) -> bool:
        """Whether this process goes on with the call; if not, whoever takes it from the queue does."""
        call_id = facts.call_id
        try:
            started = self.threads.submit(self.engine.start, call_id, call_id, facts.organization_id)
            return started.result(START_TIMEOUT_SECONDS)
        except TimeoutError:
            return False
        except Exception as failure:  # noqa: BLE001 - whatever the engine has, the queue is left
            log.error("not_begun", call_id=call_id, reason=type(failure).__name__)
            return False

    def _promise(self, session: Session, ready: AdmittedCall, reserved: Decimal, asked_at: datetime | None) -> Outcome:
        outcome = pending_outcome(ready.facts.call_id)
        delivery_records.create(session, self.vault, ready.facts, ready.understood.body, reserved, asked_at)
        write_in(session, replays.store_statements(self.vault, ready.tenant.organization_id, ready.inbound, outcome))
        return outcome

    def _enqueue(self, session: Session, ready: AdmittedCall) -> None:
        session.flush()
        call_id = ready.facts.call_id
        self.engine.enqueue(session, call_id, call_id, ready.tenant.organization_id)
