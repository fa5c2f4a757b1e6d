"""Later: the durable work of one call, step by step: answer, then tell the flow, again later until it is settled."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from glific_gpt.calls import limits, records
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.deferred.background import PendingUpstreamCalls
from glific_gpt.calls.deferred.delivery import DeliveryStep
from glific_gpt.calls.execution import Result, execute, outcome_of
from glific_gpt.calls.request import Admission
from glific_gpt.calls.tenant import Tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import patiently, write_in
from glific_gpt.durable import Durable
from glific_gpt.errors import Broken, GlificGptError
from glific_gpt.functions.contract import Function, FunctionBody
from glific_gpt.vault import UnreadableSecret, Vault


@dataclass(frozen=True)
class DeferredCall:
    """A call that waits for its answer, with its organization as it is at this moment."""

    facts: CallContext
    tenant: Tenant
    question: str
    """Ciphertext of the function's body."""
    reserved: Decimal
    seconds: float
    """How long OpenAI may take."""


@dataclass(frozen=True)
class AnswerStep:
    """Asks with what the organization's switches say now, not when the call was accepted."""

    admission: Admission
    vault: Vault
    in_flight: PendingUpstreamCalls

    def answer(self, call_id: str) -> None:
        """Does nothing for a call that has its answer, or that was never handed over."""
        flight = self.in_flight.take(call_id)
        if flight is not None and not flight.is_handed_over():
            return
        order = patiently(lambda session: self._order(session, call_id))
        if order is None:
            return
        facts = flight.facts if flight else order.facts
        result = flight.result(order.seconds) if flight else self._ask(order)
        self._record(order, facts, result)

    def _order(self, session: Session, call_id: str) -> DeferredCall | None:
        found = delivery_records.find(session, call_id)
        if found is None or not delivery_records.is_expected(*found) or found[0].question is None:
            return None
        delivery, call = found
        facts = CallContext(
            organization_id=call.organization_id,
            function=call.function,
            started_at=call.started_at,
            call_id=call_id,
            model_asked=call.model_asked,
        )
        tenant = tenants.find_tenant_by_id(session, call.organization_id, self.admission.provider.name)
        seconds = delivery_records.remaining_wait_seconds(delivery, self.admission.settings.deferred_timeout_seconds)
        return DeferredCall(facts, tenant, found[0].question, delivery.reserved_usd, seconds)

    def _ask(self, order: DeferredCall) -> Result:
        facts = order.facts
        deadline = Deadline.after(order.seconds)
        try:
            model = self.admission.bind(order.tenant, facts.model_asked or "", deadline)
            function, body = self._understand(order)
        except GlificGptError as error:
            return error
        patiently(lambda session: delivery_records.mark_asked(session, facts.call_id))
        return execute(function, body, model, deadline, facts)

    def _understand(self, order: DeferredCall) -> tuple[Function[Any], FunctionBody]:
        """Raises UnknownFunction where a plugin is gone, Broken where the question cannot be read any more."""
        function = self.admission.functions.get(order.facts.function)
        try:
            plain = self.vault.decrypt(order.facts.organization_id, delivery_records.QUESTION_PURPOSE, order.question)
            return function, function.body.model_validate_json(plain)
        except (UnreadableSecret, ValidationError):
            raise Broken from None

    def _record(self, order: DeferredCall, facts: CallContext, result: Result) -> None:
        error = result if isinstance(result, GlificGptError) else None
        outcome = outcome_of(order.tenant, facts, result)

        def write(session: Session) -> None:
            if delivery_records.store_answer(session, self.vault, facts, outcome):
                records.record_answer(session, facts, error)
                write_in(session, limits.settle_statements(order.tenant, facts, order.reserved, error))

        patiently(write)


@dataclass(frozen=True)
class DeferredWorkflow:
    """What a process that was killed in between finds done is not done again."""

    answering: AnswerStep
    telling: DeliveryStep

    def work(self, call_id: str, durable: Durable) -> float | None:
        """For the engine: seconds until it is to be called again. The order of its steps belongs to its VERSION.

        A Glific that is away must not hold the places in which others' questions could be asked.
        """
        durable.step("answer", lambda: self.answering.answer(call_id))
        return durable.step("tell", lambda: self.telling.tell(call_id))
