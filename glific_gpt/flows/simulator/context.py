"""The state of a simulation: organization, contact, clock, and the flow that the contact is in.

Sources: glific/glific, Flows.FlowContext for the context of a flow; Contacts for the contact.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pydantic import SecretStr

from glific_gpt.flows.endpoint import is_url_of_server
from glific_gpt.flows.simulator.eex import Evaluation, EvaluationStatus, evaluate_code
from glific_gpt.flows.simulator.event_log import EventLog, ProblemCode
from glific_gpt.flows.simulator.expressions import Bindings, fill_variables
from glific_gpt.flows.simulator.flows import Flow, Flows, Node
from glific_gpt.flows.simulator.outcomes import Message, WaitKind
from glific_gpt.flows.structure import as_object
from glific_gpt.flows.suspicious_code import find_suspicious_code

ORGANIZATION_TIME_ZONE = timezone(timedelta(hours=5, minutes=30))
"""That of India, where most organizations are."""
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
DUMMY_SIGNATURE_PHRASE = "This is a dummy secret"
"""Glific signs with this phrase if an organization set none."""


@dataclass(frozen=True)
class GlificOrganization:
    """The organization that the flow belongs to, as its Glific knows it."""

    glific_id: int = 1
    signature_phrase: SecretStr | None = None
    """None if it set none: Glific then signs with its dummy phrase."""
    signed_server: str = ""
    """The address of the only server that gets signed calls, for flows of unknown authors.
    If empty, all calls are, as in Glific."""

    def phrase_for(self, url: str) -> SecretStr:
        """Return the phrase that signs a call to this address."""
        is_trusted = not self.signed_server or is_url_of_server(url, self.signed_server)
        return (self.signature_phrase if is_trusted else None) or SecretStr(DUMMY_SIGNATURE_PHRASE)


@dataclass(frozen=True)
class Contact:
    """The WhatsApp user at the beginning of a conversation."""

    id: int = 21
    name: str = "Asha"
    phone: str = "919876543210"
    fields: dict[str, Any] = field(default_factory=dict)
    """By key; a value is text, or Glific's `{"value", "label", "type", "inserted_at"}`."""
    language: str = "English"
    """The label of a language in Glific."""


@dataclass
class ContactState:
    """The contact during a conversation: flows change fields, name, language and groups."""

    id: int
    name: str
    phone: str
    fields: dict[str, Any]
    language: str
    groups: list[str] = field(default_factory=list)
    last_message_number: int = 0
    """The number of messages in both directions before the current run."""

    @classmethod
    def from_contact(cls, contact: Contact) -> "ContactState":
        # The fields are copied, because flows change them, and the same contact may be used for several conversations.
        return cls(contact.id, contact.name, contact.phone, dict(contact.fields), contact.language)

    def reload(self, log: EventLog) -> None:
        """Update the message number, as Glific does at the beginning of each run only."""
        self.last_message_number = sum(line.who != "note" for line in log.lines)

    def as_webhook_value(self) -> dict[str, Any]:
        """Return the value of `@contact` in a webhook's body (glific/glific: Flows.Webhook)."""
        return {"id": self.id, "name": self.name, "phone": self.phone, "fields": self.fields}

    def as_variables(self) -> dict[str, Any]:
        """Return the values of `@contact.` (glific/glific: Contacts.get_contact_field_map)."""
        groups = "[" + ", ".join(f'"{name}"' for name in self.groups) + "]"
        return self.as_webhook_value() | {
            "fields": {"name": {"value": self.name}} | self.fields,
            "language": self.language,
            "groups": groups,
            "in_groups": groups,
            "status": "valid",
            "last_message_number": self.last_message_number,
        }

    def add_to_groups(self, groups: list[Any]) -> None:
        names = [str(as_object(group).get("name", "")) for group in groups]
        self.groups += [name for name in names if name not in self.groups]


@dataclass
class SimulationClock:
    """A clock that can be advanced without waiting."""

    now: Callable[[], float] = time.monotonic
    offset: float = 0.0

    def __call__(self) -> float:
        """Return seconds since an unknown moment."""
        return self.now() + self.offset


@dataclass
class Simulation:
    """The state that all flows of a conversation share."""

    flows: Flows
    organization: GlificOrganization
    contact: ContactState
    clock: SimulationClock
    log: EventLog


@dataclass
class Context:
    """A flow that the contact is in; `parent` is the flow that entered it."""

    id: int
    simulation: Simulation = field(repr=False)
    flow: Flow
    node: Node
    results: dict[str, Any]
    parent: "Context | None" = None
    waits_for: WaitKind | None = None
    wakes_at: float | None = None
    """On the clock of the simulation."""
    recent_messages: list[tuple[float, str, str]] = field(default_factory=list)
    """Time, node and text (or attachment) of the messages that were sent last."""

    @property
    def bindings(self) -> Bindings:
        contact = self.simulation.contact.as_variables()
        flow, calendar = self.flow.as_variables(), calendar_variables(datetime.now(ORGANIZATION_TIME_ZONE))
        return {"results": self.results, "contact": contact, "flow": flow, "calendar": calendar}

    def fill(self, template: str) -> str:
        """Replace the variables in a text."""
        return fill_variables(template, self.bindings)

    def evaluate(self, template: str) -> str:
        """Replace the variables in a text, then evaluate its code.

        In this order a reply of the contact can become code, as in Glific.
        """
        content = self.fill(template)
        evaluation = evaluate_code(content)
        _report(self.simulation.log, template, content, evaluation)
        return evaluation.text


def _report(log: EventLog, template: str, content: str, evaluation: Evaluation) -> None:
    """Record that Glific replaces a text, or that the simulation is not sure about it."""
    if evaluation.status is EvaluationStatus.INVALID:
        log.add_problem(
            ProblemCode.INVALID_CODE, f"{template} cannot be evaluated. Glific replaces it by {evaluation.text}."
        )
    elif evaluation.status is EvaluationStatus.SUSPICIOUS:
        log.add_problem(
            ProblemCode.SUSPICIOUS_CODE,
            f'{template} has "{find_suspicious_code(content)[0]}" in its text. Glific takes this for suspicious code, '
            "and stores a warning in place of the text, unless its flag safe_expressions is on.",
        )
    elif evaluation.status is EvaluationStatus.UNSUPPORTED:
        log.add_note(
            f"The simulation cannot evaluate {template}, and continues with the code itself. Test this step in Glific."
        )


def calendar_variables(now: datetime) -> dict[str, Any]:
    """Return the values of `@calendar.` (glific/glific: MessageVarParser)."""
    days = {"current_date": now, "yesterday": now - timedelta(days=1), "tomorrow": now + timedelta(days=1)}
    dates = {name: f"{day.day}/{day.month:02}/{day.year}" for name, day in days.items()}
    names = {"current_day": DAY_NAMES[now.weekday()], "current_month": MONTH_NAMES[now.month - 1]}
    return dates | names | {"current_year": now.year}


def with_timestamp(values: dict[str, Any]) -> dict[str, Any]:
    # As Elixir writes a time in UTC.
    return values | {"inserted_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}


def store_reply(context: Context, name: str, message: Message, category: str, **extra: Any) -> None:
    """Store a message that a router has tested (glific/glific: Flows.Router.update_context_results).

    There is no `value`, so `@results.<name>` is only replaced by the plain search of `fill_variables`.
    """
    values = message.stored_values or {"input": message.body, "category": category, "intent": None}
    context.results[name] = with_timestamp(values | extra)


def store_value(context: Context, name: str, value: str, category: str) -> None:
    """Store a value as set_run_result does (glific/glific: Flows.Action)."""
    context.results[name] = with_timestamp({"input": value, "value": value, "category": category})


def without_parent_and_child(results: dict[str, Any]) -> dict[str, Any]:
    """Return the results that a flow passes to a flow that it enters."""
    return {name: result for name, result in results.items() if name not in ("parent", "child")}
