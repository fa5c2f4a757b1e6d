"""Opening: the row of a call, together with all that must not be had twice, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from glific_gpt.calls import limits, records, replays
from glific_gpt.calls.admission import Understood
from glific_gpt.calls.inbound import Inbound
from glific_gpt.calls.records import Facts
from glific_gpt.calls.tenant import Tenant
from glific_gpt.database import GroupCommit, Write, write_in
from glific_gpt.errors import CallInProgress


@dataclass(frozen=True)
class Ready:
    """A call that has passed every check but those of the limits."""

    tenant: Tenant
    inbound: Inbound
    facts: Facts
    understood: Understood


def open_call(session: Session, ready: Ready, status: str = "started") -> Decimal:
    """Writes the row, counts the call, claims its key; returns what was set aside of the budget.

    Raises GlificGptError for a call that is one too many.
    """
    with _once():
        write_in(session, _opened(ready, status))
    limits.check_contact(session, ready.tenant, ready.facts.contact_id)
    return limits.reserve(session, ready.tenant, ready.facts, ready.understood.body, len(ready.inbound.body))


def open_unlimited(group: GroupCommit, ready: Ready) -> None:
    """The same for a call that no limit counts, together with others. Raises CallInProgress."""
    with _once():
        group.write(*_opened(ready, "started"))


def _opened(ready: Ready, status: str) -> list[Write]:
    facts, inbound = ready.facts, ready.inbound
    row = records.opened(facts, inbound.deadline.remaining(), status)
    return [row, *replays.claimed(facts.organization_id, inbound, facts.call_id)]


@contextmanager
def _once() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise CallInProgress(retry_after=1) from None
