"""Opening: the row of a call, together with all that must not be had twice, in one transaction."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from glific_gpt.calls import limits, records, replays
from glific_gpt.calls.admission import Understood
from glific_gpt.calls.inbound import Inbound
from glific_gpt.calls.records import Facts
from glific_gpt.calls.tenant import Tenant


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
    tenant, inbound, facts = ready.tenant, ready.inbound, ready.facts
    records.open_row(session, facts, inbound.deadline.remaining(), status)
    limits.check_contact(session, tenant, facts.contact_id)
    replays.claim(session, tenant.organization_id, inbound, facts.call_id)
    return limits.reserve(session, tenant, facts, ready.understood.body, len(inbound.body))
