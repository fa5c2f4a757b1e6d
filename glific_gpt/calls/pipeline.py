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
from glific_gpt.calls.context import Facts
from glific_gpt.calls.deferred.background import Flight, Outlasting
from glific_gpt.calls.deferred.deferral import HandingOver
from glific_gpt.calls.execution import Outcome, Result, carry_out, outcome_of
from glific_gpt.calls.records import Ready, open_call, open_unlimited
from glific_gpt.calls.request import ASYNC, AUTO, Admission, Inbound
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import BUSY_SECONDS, UNAVAILABLE, GroupCommit, transaction
from glific_gpt.errors import DATABASE_AWAY, DeadlineExceeded, GlificGptError, Overloaded, Unauthorized
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

log = structlog.get_logger()

CLOSING_SECONDS = 0.4
"""How long closing a row may wait for the database: what is left of Glific's five seconds after the deadline."""

LATE_CLOSING_SECONDS = 0.05
"""The same, where most of that has gone by with an attempt to hand the call over."""


@dataclass(frozen=True)
class Runner:
    """Runs calls: row first, network second, verdict third."""

    admission: Admission
    vault: Vault
    handing_over: HandingOver
    outlasting: Outlasting
    opening: GroupCommit = field(default_factory=lambda: GroupCommit(BUSY_SECONDS))
    closing: GroupCommit = field(default_factory=lambda: GroupCommit(CLOSING_SECONDS))
    closing_late: GroupCommit = field(default_factory=lambda: GroupCommit(LATE_CLOSING_SECONDS))

    def run(self, tenant: Tenant, inbound: Inbound) -> Outcome:
        """The outcome, good or bad, recorded. Raises Unauthorized when the body names another organization."""
        facts = Facts(tenant.organization_id, inbound.function)
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
        return self._refuse(tenant, Facts(tenant.organization_id, function), error)

    def _run(self, tenant: Tenant, inbound: Inbound, facts: Facts) -> Outcome:
        """Raises GlificGptError and UNAVAILABLE until the row is written, and nothing after."""
        understood = self.admission.understand(tenant, inbound, facts)
        if stored := replays.find(self.vault, tenant.organization_id, inbound):
            return stored
        deadline = self._deadline(inbound)
        model = self.admission.bind(tenant, facts.model_asked or "", deadline)
        ready = Ready(tenant, inbound, facts, understood)
        if inbound.mode == ASYNC or (inbound.mode == AUTO and not self.outlasting.has_room(facts.organization_id)):
            return self.handing_over.accept(ready)
        reserved = self._open(ready)
        if inbound.mode == AUTO:
            return self._answer_or_hand_over(ready, model, deadline, reserved)
        return self._close(ready, reserved, _ask(ready, model, deadline))

    def _open(self, ready: Ready) -> Decimal:
        """What was set aside of the budget. A call that counts has its own transaction. Raises GlificGptError."""
        if limits.count(ready.tenant):
            return in_thread(lambda: _open_counted(ready))
        open_unlimited(self.opening, ready)
        return Decimal(0)

    def _deadline(self, inbound: Inbound) -> Deadline:
        """OpenAI's: the call's own, or a longer one where the answer may come later."""
        if inbound.mode == AUTO:
            return Deadline.after(self.admission.settings.long_deadline_seconds)
        return inbound.deadline

    def _answer_or_hand_over(
        self, ready: Ready, model: LanguageModel, deadline: Deadline, reserved: Decimal
    ) -> Outcome:
        future = self.outlasting.begin(lambda: _ask(ready, model, deadline))
        try:
            result = future.result(ready.inbound.deadline.remaining())
        except TimeoutError:
            self.outlasting.count(ready.facts.organization_id, future)
            later = self.handing_over.hand_over(ready, Flight(future, ready.facts), reserved)
            return later or self._close(ready, reserved, DeadlineExceeded(), self.closing_late)
        return self._close(ready, reserved, result)

    def _close(self, ready: Ready, reserved: Decimal, result: Result, group: GroupCommit | None = None) -> Outcome:
        """Closes the row. The answer is there and paid for: Glific gets it even when this fails, and in time."""
        tenant, facts = ready.tenant, ready.facts
        outcome = outcome_of(tenant, facts, result)
        error = result if isinstance(result, GlificGptError) else None
        try:
            (group or self.closing).write(
                records.closed(facts, error),
                *limits.settled(tenant, facts, reserved, error),
                *replays.stored(self.vault, tenant.organization_id, ready.inbound, outcome),
                alone=limits.count(tenant),
            )
        except SQLAlchemyError as failure:
            log.error("call_not_closed", call_id=facts.call_id, reason=type(failure).__name__)
        return outcome

    def _refuse(self, tenant: Tenant, facts: Facts, error: GlificGptError) -> Outcome:
        """Records a call that failed before anything was spent."""
        try:
            self.opening.write(records.failed(facts, error))
        except UNAVAILABLE as failure:
            log.error("call_not_recorded", call_id=facts.call_id, reason=type(failure).__name__)
        return outcome_of(tenant, facts, error)


def _open_counted(ready: Ready) -> Decimal:
    with transaction() as session:
        return open_call(session, ready)


def _ask(ready: Ready, model: LanguageModel, deadline: Deadline) -> Result:
    return carry_out(ready.understood.function, ready.understood.body, model, deadline, ready.facts)


SHARE_OF_OPENAI = 0.98
"""What of a call's time OpenAI may use up; the rest is for the row and the answer."""


def deadline(settings: Settings) -> Deadline:
    """Of a call that comes in at this moment."""
    return Deadline.after(settings.deadline_seconds * SHARE_OF_OPENAI)


@contextmanager
def place(places: BoundedSemaphore) -> Iterator[None]:
    """One of the places for calls. Raises Overloaded when all are taken."""
    if not places.acquire(blocking=False):
        raise Overloaded(retry_after=1)
    try:
        yield
    finally:
        places.release()
