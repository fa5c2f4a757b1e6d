"""run(): the one path that every call takes, from the body of the webhook to its outcome."""

import json
from dataclasses import dataclass
from decimal import Decimal

import structlog
from pydantic import JsonValue
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.calls import limits, records, replays
from glific_gpt.calls.admission import Admission, Understood
from glific_gpt.calls.inbound import Inbound
from glific_gpt.calls.outcome import Outcome, answered, failed
from glific_gpt.calls.records import Facts
from glific_gpt.calls.tenant import Tenant
from glific_gpt.database import UNAVAILABLE, transaction
from glific_gpt.errors import DATABASE_AWAY, EmptyAnswer, GlificGptError, Overloaded, Unauthorized, UpstreamError
from glific_gpt.glific import text
from glific_gpt.glific.variables import neutralise_json
from glific_gpt.llm.chat import LanguageModel
from glific_gpt.settings import FALLBACK_MESSAGE
from glific_gpt.vault import Vault

log = structlog.get_logger()

EMPTY: tuple[JsonValue, ...] = (None, "", {}, [])
"""In the place of these Glific would send the name of the variable."""

CLOSING_SECONDS = 0.4
"""How long closing a row may wait for the database: what is left of Glific's five seconds after the deadline."""


@dataclass(frozen=True)
class Runner:
    """Runs calls: row first, network second, verdict third."""

    admission: Admission
    vault: Vault

    def run(self, tenant: Tenant, inbound: Inbound) -> Outcome:
        """The outcome, good or bad, recorded. Raises Unauthorized when the body names another organization."""
        facts = Facts(tenant.organization_id, inbound.function)
        try:
            understood = self.admission.understand(tenant, inbound, facts)
            if stored := self._stored(tenant, inbound):
                return stored
            model = self.admission.bind(tenant, inbound, facts.model_asked or "")
            reserved = self._open(tenant, inbound, facts, understood)
        except Unauthorized:
            raise
        except GlificGptError as error:
            return _refuse(tenant, facts, error)
        except UNAVAILABLE as failure:
            log.error("database_unavailable", call_id=facts.call_id, reason=type(failure).__name__)
            return _outcome(tenant, facts, Overloaded(DATABASE_AWAY, retry_after=1))
        result = _call(understood, model, inbound, facts)
        outcome = _outcome(tenant, facts, result)
        self._close(tenant, inbound, facts, reserved, result, outcome)
        return outcome

    def refuse(self, tenant: Tenant, function: str, error: GlificGptError) -> Outcome:
        """The outcome of a call whose body could not even be read, recorded."""
        return _refuse(tenant, Facts(tenant.organization_id, function), error)

    def _stored(self, tenant: Tenant, inbound: Inbound) -> Outcome | None:
        if inbound.idempotency_key is None:
            return None
        with transaction() as session:
            return replays.find(session, self.vault, tenant.organization_id, inbound)

    def _open(self, tenant: Tenant, inbound: Inbound, facts: Facts, understood: Understood) -> Decimal:
        """Writes the row, together with all that must not be had twice; returns what was set aside of the budget."""
        with transaction() as session:
            records.open_row(session, facts, inbound.deadline.remaining())
            limits.check_contact(session, tenant, facts.contact_id)
            replays.claim(session, tenant.organization_id, inbound, facts.call_id)
            return limits.reserve(session, tenant, facts, understood.body, len(inbound.body))

    def _close(
        self,
        tenant: Tenant,
        inbound: Inbound,
        facts: Facts,
        reserved: Decimal,
        result: "Result",
        outcome: Outcome,
    ) -> None:
        """Closes the row. The answer is there and paid for: Glific gets it even when this fails, and in time."""
        error = result if isinstance(result, GlificGptError) else None
        try:
            with transaction(CLOSING_SECONDS) as session:
                records.close_row(session, facts, error)
                limits.settle(session, tenant, facts, reserved, error)
                replays.store(session, self.vault, tenant.organization_id, inbound, outcome)
        except SQLAlchemyError as failure:
            log.error("call_not_closed", call_id=facts.call_id, reason=type(failure).__name__)


Result = JsonValue | GlificGptError
"""What a function gave, ready for WhatsApp, or why there is nothing."""


def _call(understood: Understood, model: LanguageModel, inbound: Inbound, facts: Facts) -> Result:
    facts.usage = model.usage
    try:
        return _for_whatsapp(understood.function.handle(understood.body, model, inbound.deadline))
    except GlificGptError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a plugin can fail in any way, and its message can hold anything
        log.error("function_failed", call_id=facts.call_id, reason=type(error).__name__)
        return UpstreamError("The server could not carry out this function: tell its administrators.")


def _for_whatsapp(value: JsonValue) -> JsonValue:
    """Raises EmptyAnswer when nothing is left that a person could see, TypeError for what JSON does not know."""
    if value in EMPTY:
        raise EmptyAnswer
    if not isinstance(value, str):
        json.dumps(value, allow_nan=False)
        return neutralise_json(value)
    message = text.for_whatsapp(value)
    if not message:
        raise EmptyAnswer
    return message


def _outcome(tenant: Tenant, facts: Facts, result: Result) -> Outcome:
    if isinstance(result, GlificGptError):
        return failed(facts.call_id, result, tenant.fallback_message or FALLBACK_MESSAGE)
    return answered(facts.call_id, facts.usage.model or facts.model_asked or "", result)


def _refuse(tenant: Tenant, facts: Facts, error: GlificGptError) -> Outcome:
    """Records a call that failed before anything was spent."""
    try:
        with transaction() as session:
            records.write_row(session, facts, error)
    except UNAVAILABLE as failure:
        log.error("call_not_recorded", call_id=facts.call_id, reason=type(failure).__name__)
    return _outcome(tenant, facts, error)
