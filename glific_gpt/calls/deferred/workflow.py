"""The durable workflow of a deferred call: get the answer, then deliver it to the flow."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pydantic import ValidationError
from sqlalchemy.orm import Session

from glific_gpt.calls import budget, records
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records, late_answers
from glific_gpt.calls.deferred.delivery import DeliveryStep
from glific_gpt.calls.deferred.late_answers import Answer
from glific_gpt.calls.execution import Result, execute
from glific_gpt.calls.request import Admission, ParsedCall
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import UNAVAILABLE, retry_until_available
from glific_gpt.durable import WorkflowContext, waiting
from glific_gpt.errors import GlificGptError, InternalError, NotReady
from glific_gpt.runtime import call_context
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.thread_slots import ThreadSlots
from glific_gpt.vault import Vault

LARGE_BYTES = 64 * 1024
"""Size of an encrypted question that counts as large. Few questions are."""
_large_questions = ThreadSlots(100, max_of_group=10)
"""Limits the memory of large questions, each of which is in memory several times until it is answered."""


@dataclass(frozen=True)
class DeferredCall:
    """A deferred call as loaded from the database, with the current state of its organization."""

    context: CallContext
    tenant: Tenant
    question: str
    """Ciphertext of the function's body."""
    timeout_seconds: float
    """How long OpenAI may take."""


@dataclass(frozen=True)
class AnswerStep:
    """Ask OpenAI and store its answer, once. The current switches count, not those at the arrival of the call."""

    admission: Admission
    vault: Vault

    @blocking
    def run(self, call_id: str) -> float | None:
        """Do nothing if the call has its answer, or if its caller got an error instead of a deferral.

        Returns the seconds after which to try again, if this process cannot read a secret; None otherwise.
        """
        deferred = retry_until_available(lambda session: self._load(session, call_id))
        if deferred is None or len(deferred.question) < LARGE_BYTES:
            return self._answer(deferred)
        organization_id = deferred.tenant.organization_id
        del deferred  # loaded again later: a question must not take memory while it waits
        with waiting():
            _large_questions.acquire(organization_id)
        try:
            return self._answer(retry_until_available(lambda session: self._load(session, call_id)))
        finally:
            _large_questions.release(organization_id)

    def _answer(self, deferred: DeferredCall | None) -> float | None:
        if deferred is None:
            return None
        call_id = deferred.context.call_id
        try:
            result = self._ask(deferred)
        except NotReady as error:
            reason = str(error)
            return retry_until_available(lambda session: _wait_for_key(session, call_id, reason))
        late_answers.store(Answer.encrypt(self.vault, deferred.tenant, deferred.context, result))
        return None

    def _load(self, session: Session, call_id: str) -> DeferredCall | None:
        row = delivery_records.find(session, call_id)
        if row is None or not delivery_records.is_expected(*row) or row[0].question is None:
            return None
        delivery, call = row
        context = CallContext(
            organization_id=call.organization_id,
            function=call.function,
            started_at=call.started_at,
            call_id=call_id,
            model_asked=call.model_asked,
            answer_key=self.admission.functions.find_answer_key(call.function),
            allowance=budget.find_allowance(session, call_id),
        )
        tenant = tenants.find_tenant_by_id(session, call.organization_id, self.admission.provider.name)
        seconds = delivery_records.remaining_wait_seconds(delivery, self.admission.settings.deferred_timeout_seconds)
        return DeferredCall(context, tenant, row[0].question, seconds)

    def _ask(self, deferred: DeferredCall) -> Result:
        """Raises NotReady before OpenAI is asked."""
        context = deferred.context
        call_context.set_group(str(context.organization_id))  # long computations take turns by organization
        deadline = Deadline.after(deferred.timeout_seconds)
        try:
            parsed = self._decrypt_question(deferred)
            # First, so that every error has the thread id of the conversation.
            context.memory = self.admission.open_memory(deferred.tenant, context, parsed.body)
            model = self.admission.bind_model(deferred.tenant, context, deadline)
            self._reserve_budget(deferred, parsed)
        except NotReady:
            raise
        except GlificGptError as error:
            return error
        retry_until_available(lambda session: delivery_records.mark_asked(session, context.call_id))
        with waiting():
            return execute(parsed.function, parsed.body, model, deadline, context)

    def _reserve_budget(self, deferred: DeferredCall, parsed: ParsedCall) -> None:
        """Reserve money for a call that has no reservation: there was no budget then, or the money was given back."""
        context, tenant = deferred.context, deferred.tenant
        if context.allowance is None and tenant.monthly_budget_usd is not None:
            with suppress(*UNAVAILABLE):  # the reservation creates the row then
                budget.prepare_month(tenant, context, seconds=None)
            reserve = partial(budget.reserve, tenant=tenant, context=context, parsed=parsed)
            context.allowance = retry_until_available(reserve)

    def _decrypt_question(self, deferred: DeferredCall) -> ParsedCall:
        """Raises UnknownFunction if a plugin was removed, InternalError for an invalid question, and NotReady."""
        context = deferred.context
        function = self.admission.functions.get(context.function)
        plain = self.vault.decrypt(context.organization_id, delivery_records.QUESTION_PURPOSE, deferred.question)
        try:
            return ParsedCall(function, function.body.model_validate_json(plain))
        except ValidationError:
            raise InternalError from None


def _wait_for_key(session: Session, call_id: str, reason: str) -> float | None:
    """Return the seconds after which to read the call's secrets again, or end the delivery after too long a time."""
    row = delivery_records.find(session, call_id)
    if row is None or not delivery_records.is_expected(*row):
        return None
    delivery, call = row
    delivery.last_response = reason
    seconds = delivery_records.key_wait_seconds(delivery)
    if seconds is None:
        delivery_records.mark_failed(delivery, reason)
        records.finish_pending(call, delivery.state)
    return seconds


@dataclass(frozen=True)
class DeferredWorkflow:
    """The workflow of a deferred call. After a crash, finished steps are not repeated."""

    answer: AnswerStep
    delivery: DeliveryStep

    def run(self, call_id: str, durable: WorkflowContext) -> float | None:
        """Return the seconds until the engine is to run the workflow again; None when it has ended.

        One delivery attempt per run: while Glific is unavailable, waiting must not occupy the queue's workers. The
        order of the steps belongs to WORKFLOW_VERSION in `durable/workflow.py`.
        """
        # DBOS stores the names of finished steps and refuses other names, so renaming a step needs a new version too.
        seconds = durable.step("answer", lambda: self.answer.run(call_id))
        if seconds is not None:
            return seconds
        return durable.step("tell", lambda: self.delivery.run(call_id))
