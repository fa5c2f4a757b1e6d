"""Records: the row of a call, written before OpenAI is asked and closed after."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session

from glific_gpt.calls import search
from glific_gpt.calls.ids import new_call_id
from glific_gpt.calls.search import EVERYTHING, Filters
from glific_gpt.calls.tables import Call
from glific_gpt.catalogue import prices
from glific_gpt.clock import now
from glific_gpt.database import Write
from glific_gpt.errors import GlificGptError
from glific_gpt.functions.contract import NAME
from glific_gpt.llm.chat import Usage

GRACE = timedelta(seconds=2)
"""How long after its deadline a call may still be on its way to its row."""

UNKNOWN = "?"
"""In the place of a function's name that no function can have."""

PAGE = 100


@dataclass
class Facts:
    """What is known of a call while it runs."""

    organization_id: int
    function: str
    started_at: datetime = field(default_factory=now)
    call_id: str = field(default_factory=new_call_id)
    model_asked: str | None = None
    contact_id: int | None = None
    flow_id: int | None = None
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.function):  # an address can hold anything, of any length
            self.function = UNKNOWN

    def cost(self) -> Decimal | None:
        """US dollars so far, at the price of the model used, else of the one asked; None without either."""
        for model in filter(None, (self.usage.model, self.model_asked)):
            usd = prices.cost(model, self.usage.input_tokens, self.usage.output_tokens)
            if usd is not None:
                return usd
        return None


# On the table rather than its class, and built once: a third of the time that the database takes of a call.
TABLE = cast("Table", Call.__table__)
INSERT = TABLE.insert().inline()  # nobody asks for the number of the row
CLOSE = TABLE.update().where(TABLE.c.call_id == bindparam("this_call"))


def opened(facts: Facts, seconds: float, status: str = "started") -> Write:
    """The row of a call that is about to ask OpenAI and has that many seconds left, or is pending."""
    return INSERT, _first(facts, status, seconds)


def mark_pending(session: Session, facts: Facts) -> None:
    """For a call whose answer comes later after all."""
    session.execute(update(Call).where(Call.call_id == facts.call_id).values(status="pending"))


def note_answer(session: Session, facts: Facts, error: GlificGptError | None) -> None:
    """What a pending call has used, and how it went; it stays pending until its flow has the answer."""
    known = _last(facts, error)
    del known["status"], known["duration_ms"]
    session.execute(update(Call).where(Call.call_id == facts.call_id).values(known))


def end_pending(call: Call, error_code: str | None) -> None:
    """Its flow has the answer, or will never have it; an error of the call itself stands before the given one."""
    call.error_code = call.error_code or error_code
    call.status = "error" if call.error_code else "ok"
    call.duration_ms = round((now() - call.started_at).total_seconds() * 1000)


def closed(facts: Facts, error: GlificGptError | None) -> Write:
    """The end of a call whose row was opened."""
    return CLOSE, _last(facts, error) | {"this_call": facts.call_id}


def failed(facts: Facts, error: GlificGptError) -> Write:
    """The whole row of a call that failed before OpenAI was asked."""
    return INSERT, _first(facts, "error", 0) | _last(facts, error)


def _first(facts: Facts, status: str, seconds: float) -> dict[str, object]:
    return {
        "call_id": facts.call_id,
        "organization_id": facts.organization_id,
        "function": facts.function,
        "model_asked": facts.model_asked,
        "status": status,
        "started_at": facts.started_at,
        "give_up_at": now() + timedelta(seconds=seconds) + GRACE,
        "contact_id": facts.contact_id,
        "flow_id": facts.flow_id,
    }


def _last(facts: Facts, error: GlificGptError | None) -> dict[str, object]:
    used = facts.usage.model is not None
    return {
        "status": "error" if error else "ok",
        "error_code": error.code if error else None,
        "model_used": facts.usage.model,
        "duration_ms": round((now() - facts.started_at).total_seconds() * 1000),
        "input_tokens": facts.usage.input_tokens if used else None,
        "output_tokens": facts.usage.output_tokens if used else None,
        "cost_usd": facts.cost() if used else None,
    }


def page(
    session: Session,
    organization_id: int,
    *,
    limit: int = PAGE,
    before: str | None = None,
    filters: Filters = EVERYTHING,
) -> list[Call]:
    """Calls of an organization, newest first; those before the call of that id. Raises NotFound for an unknown one."""
    mark_interrupted(session)
    return search.page(session, organization_id, limit=limit, before=before, filters=filters)


def mark_interrupted(session: Session) -> None:
    """Says of calls that nobody works on any more, because their process was killed, that they were interrupted."""
    session.execute(update(Call).where(Call.status == "started", Call.give_up_at < now()).values(status="interrupted"))
