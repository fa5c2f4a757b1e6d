"""The durable workflow of a deferred call: get the answer, then deliver it to the flow."""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import ValidationError
from sqlalchemy.orm import Session

from glific_gpt.calls import limits, records
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.background import PendingUpstreamCalls
from glific_gpt.calls.deferred.delivery import DeliveryStep
from glific_gpt.calls.execution import Result, execute, to_outcome
from glific_gpt.calls.request import Admission, ParsedCall
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import execute_all, retry_until_available
from glific_gpt.durable import WorkflowContext
from glific_gpt.errors import GlificGptError, InternalError
from glific_gpt.vault import UnreadableSecret, Vault


@dataclass(frozen=True)
class DeferredCall:
    """A deferred call as loaded from the database, with the current state of its organization."""

    context: CallContext
    tenant: Tenant
    question: str
    """Ciphertext of the function's body."""
    reserved: Decimal
    """Reserved part of the budget, in US dollars."""
    timeout_seconds: float
    """How long OpenAI may take."""


@dataclass(frozen=True)
class AnswerStep:
    """Ask OpenAI and store its answer, once. The current switches count, not those at the arrival of the call."""

    admission: Admission
    vault: Vault
    upstream_calls: PendingUpstreamCalls

    def run(self, call_id: str) -> None:
        """Do nothing for a call that has its answer, or whose caller got an error instead of a deferral."""
        upstream = self.upstream_calls.take(call_id)
        if upstream is not None and not upstream.is_deferred():
            return
        deferred = retry_until_available(lambda session: self._load(session, call_id))
        if deferred is None:
            return
        # The context of a call that is still running counts its tokens.
        context = upstream.context if upstream else deferred.context
        result = upstream.result(deferred.timeout_seconds) if upstream else self._ask(deferred)
        self._store(deferred, context, result)

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
        )
        tenant = tenants.find_tenant_by_id(session, call.organization_id, self.admission.provider.name)
        seconds = delivery_records.remaining_wait_seconds(delivery, self.admission.settings.deferred_timeout_seconds)
        return DeferredCall(context, tenant, row[0].question, delivery.reserved_usd, seconds)

    def _ask(self, deferred: DeferredCall) -> Result:
        context = deferred.context
        deadline = Deadline.after(deferred.timeout_seconds)
        try:
            model = self.admission.bind_model(deferred.tenant, context.model_asked or "", deadline)
            parsed = self._decrypt_question(deferred)
        except GlificGptError as error:
            return error
        retry_until_available(lambda session: delivery_records.mark_asked(session, context.call_id))
        return execute(parsed.function, parsed.body, model, deadline, context)

    def _decrypt_question(self, deferred: DeferredCall) -> ParsedCall:
        """Raises UnknownFunction if a plugin was removed, and InternalError if the question cannot be read."""
        context = deferred.context
        function = self.admission.functions.get(context.function)
        try:
            plain = self.vault.decrypt(context.organization_id, delivery_records.QUESTION_PURPOSE, deferred.question)
            return ParsedCall(function, function.body.model_validate_json(plain))
        except (UnreadableSecret, ValidationError):
            raise InternalError from None

    def _store(self, deferred: DeferredCall, context: CallContext, result: Result) -> None:
        error = result if isinstance(result, GlificGptError) else None
        outcome = to_outcome(deferred.tenant, context, result)

        def write(session: Session) -> None:
            # A retry of this transaction may find the answer stored, and must not settle the budget twice.
            if delivery_records.store_answer(session, self.vault, context, outcome):
                records.record_answer(session, context, error)
                execute_all(session, limits.settle_statements(deferred.tenant, context, deferred.reserved, error))

        retry_until_available(write)


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
        durable.step("answer", lambda: self.answer.run(call_id))
        return durable.step("tell", lambda: self.delivery.run(call_id))
