"""run(): the one path that every call takes, from the body of the webhook to its outcome."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import BoundedSemaphore

import structlog
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.bridge import in_thread
from glific_gpt.calls import limits, records, replays
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.background import BackgroundCalls, PendingUpstreamCall
from glific_gpt.calls.deferred.deferral import Deferrer
from glific_gpt.calls.execution import Outcome, Result, execute, outcome_of
from glific_gpt.calls.records import AdmittedCall, create_record, create_record_in_batch
from glific_gpt.calls.request import ASYNC, AUTO, Admission, InboundCall
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import BUSY_SECONDS, UNAVAILABLE, GroupCommit, transaction
from glific_gpt.errors import DATABASE_AWAY, DeadlineExceeded, GlificGptError, Overloaded, Unauthorized
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

log = structlog.get_logger()

FINISH_TIMEOUT_SECONDS = 0.4
"""How long closing a row may wait for the database: what is left of Glific's five seconds after the deadline."""

LATE_FINISH_TIMEOUT_SECONDS = 0.05
"""The same, where most of that has gone by with an attempt to hand the call over."""


@dataclass(frozen=True)
class Pipeline:
    """Runs calls: row first, network second, verdict third."""

    admission: Admission
    vault: Vault
    handing_over: Deferrer
    outlasting: BackgroundCalls
    opening: GroupCommit = field(default_factory=lambda: GroupCommit(BUSY_SECONDS))
    closing: GroupCommit = field(default_factory=lambda: GroupCommit(FINISH_TIMEOUT_SECONDS))
    closing_late: GroupCommit = field(default_factory=lambda: GroupCommit(LATE_FINISH_TIMEOUT_SECONDS))

    def run(self, tenant: Tenant, inbound: InboundCall) -> Outcome:
        """The outcome, good or bad, recorded. Raises Unauthorized when the body names another organization."""
        facts = CallContext(tenant.organization_id, inbound.function)
        try:
            return self._run(tenant, inbound, facts)
        except Unauthorized:
            raise
        except GlificGptError as error:
            return self._refuse(tenant, facts, error)
        except UNAVAILABLE as failure:
            log.error("database_unavailable", call_id=facts.call_id, reason=type(failure).__name__)
            return outcome_of(tenant, facts, Overloaded(DATABASE_AWAY, retry_after=1))

    def refuse(self, tenant: Tenant, function: str, error: GlificGptError) -> Outcome:
        """The outcome of a call whose body could not even be read, recorded."""
        return self._refuse(tenant, CallContext(tenant.organization_id, function), error)

    def _run(self, tenant: Tenant, inbound: InboundCall, facts: CallContext) -> Outcome:
        """Raises GlificGptError and UNAVAILABLE until the row is written, and nothing after."""
        understood = self.admission.understand(tenant, inbound, facts)
        if stored := replays.find_stored(self.vault, tenant.organization_id, inbound):
            return stored
        request_deadline = self._deadline(inbound)
        model = self.admission.bind(tenant, facts.model_asked or "", request_deadline)
        ready = AdmittedCall(tenant, inbound, facts, understood)
        if inbound.mode == ASYNC or (inbound.mode == AUTO and not self.outlasting.has_room(facts.organization_id)):
            return self.handing_over.accept(ready)
        reserved = self._open(ready)
        if inbound.mode == AUTO:
            return self._answer_or_hand_over(ready, model, request_deadline, reserved)
        return self._close(ready, reserved, _ask(ready, model, request_deadline))

    def _open(self, ready: AdmittedCall) -> Decimal:
        """What was set aside of the budget. A call that counts has its own transaction. Raises GlificGptError."""
        if limits.has_limits(ready.tenant):
            return in_thread(lambda: _open_counted(ready))
        create_record_in_batch(self.opening, ready)
        return Decimal(0)

    def _deadline(self, inbound: InboundCall) -> Deadline:
        """OpenAI's: the call's own, or a longer one where the answer may come later."""
        if inbound.mode == AUTO:
            return Deadline.after(self.admission.settings.deferred_timeout_seconds)
        return inbound.deadline

    def _answer_or_hand_over(
        self, ready: AdmittedCall, model: LanguageModel, deadline: Deadline, reserved: Decimal
    ) -> Outcome:
        future = self.outlasting.begin(lambda: _ask(ready, model, request_deadline))
        try:
            result = future.result(ready.inbound.deadline.remaining())
        except TimeoutError:
            self.outlasting.count(ready.facts.organization_id, future)
            later = self.handing_over.hand_over(ready, PendingUpstreamCall(future, ready.facts), reserved)
            return later or self._close(ready, reserved, DeadlineExceeded(), self.closing_late)
        return self._close(ready, reserved, result)

    def _close(self, ready: AdmittedCall, reserved: Decimal, result: Result, group: GroupCommit | None = None) -> Outcome:
        """Closes the row. The answer is there and paid for: Glific gets it even when this fails, and in time."""
        tenant, facts = ready.tenant, ready.facts
        outcome = outcome_of(tenant, facts, result)
        error = result if isinstance(result, GlificGptError) else None
        try:
            (group or self.closing).write(
                records.finish_statement(facts, error),
                *limits.settle_statements(tenant, facts, reserved, error),
                *replays.store_statements(self.vault, tenant.organization_id, ready.inbound, outcome),
                alone=limits.has_limits(tenant),
            )
        except SQLAlchemyError as failure:
            log.error("call_not_closed", call_id=facts.call_id, reason=type(failure).__name__)
        return outcome

    def _refuse(self, tenant: Tenant, facts: CallContext, error: GlificGptError) -> Outcome:
        """Records a call that failed before anything was spent."""
        try:
            self.opening.write(records.failure_statement(facts, error))
        except UNAVAILABLE as failure:
            log.error("call_not_recorded", call_id=facts.call_id, reason=type(failure).__name__)
        return outcome_of(tenant, facts, error)


def _open_counted(ready: AdmittedCall) -> Decimal:
    with transaction() as session:
        return create_record(session, ready)


def _ask(ready: AdmittedCall, model: LanguageModel, deadline: Deadline) -> Result:
    return execute(ready.understood.function, ready.understood.body, model, request_deadline, ready.facts)


OPENAI_SHARE_OF_DEADLINE = 0.98
"""What of a call's time OpenAI may use up; the rest is for the row and the answer."""


def request_deadline(settings: Settings) -> Deadline:
    """Of a call that comes in at this moment."""
    return Deadline.after(settings.deadline_seconds * OPENAI_SHARE_OF_DEADLINE)


@contextmanager
def hold_slot(places: BoundedSemaphore) -> Iterator[None]:
    """One of the places for calls. Raises Overloaded when all are taken."""
    if not places.acquire(blocking=False):
        raise Overloaded(retry_after=1)
    try:
        yield
    finally:
        places.release()
