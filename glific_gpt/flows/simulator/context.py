"""Where one flow stands for the contact, and what it can reach while it runs (glific/glific: Flows.FlowContext)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from glific_gpt.clock import now
from glific_gpt.flows.simulator.eex import evaluate
from glific_gpt.flows.simulator.event_log import Diary, TroubleCode
from glific_gpt.flows.simulator.flows import Flow, Flows, Node
from glific_gpt.flows.simulator.outcomes import Message, Wait
from glific_gpt.flows.simulator.people import Organization, Person
from glific_gpt.flows.simulator.variables import Bindings, fill


@dataclass
class Clock:
    """The time of a conversation; it can be moved on without waiting."""

    now: Callable[[], float] = time.monotonic
    moved: float = 0.0

    def __call__(self) -> float:
        """Seconds since whenever."""
        return self.now() + self.moved


@dataclass
class World:
    """What all flows of a conversation share."""

    flows: Flows
    organization: Organization
    person: Person
    clock: Clock
    diary: Diary


@dataclass
class Context:
    """One flow that the contact is in. A flow that was entered from another one knows that one."""

    id: int
    world: World = field(repr=False)
    flow: Flow
    node: Node
    results: dict[str, Any]
    parent: "Context | None" = None
    waits: Wait | None = None
    wakes_at: float | None = None
    """On the world's clock."""
    sent: list[tuple[float, str, str]] = field(default_factory=list)
    """The moment, node and text of its last messages."""

    @property
    def bindings(self) -> Bindings:
        variables = self.world.person.as_variables()
        return {"results": self.results, "contact": variables, "flow": self.flow.as_variables(), "global": {}}

    def filled(self, template: str) -> str:
        """With its variables replaced."""
        return fill(template, self.bindings)

    def evaluated(self, template: str) -> str:
        """With its variables replaced, and then its code evaluated; what a person wrote is code by then, too."""
        evaluated = evaluate(self.filled(template))
        if not evaluated.is_valid:
            says = f"{template} could not be evaluated: Glific puts {evaluated.text} in its place."
            self.world.diary.trouble(TroubleCode.INVALID_CODE, says)
        return evaluated.text


def stamped(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"inserted_at": now().isoformat().replace("+00:00", "Z")}


def keep_reply(context: Context, name: str, message: Message, category: str, **more: Any) -> None:
    """What a router has seen (glific/glific: Flows.Router.update_context_results): there is no `value`."""
    seen = message.extra or {"input": message.body, "category": category, "intent": None}
    context.results[name] = stamped(seen | more)


def keep_value(context: Context, name: str, value: str, category: str) -> None:
    """What set_run_result does (glific/glific: Flows.Action): by `value`, `@results.<name>` is replaced itself."""
    context.results[name] = stamped({"input": value, "value": value, "category": category})


def without_family(results: dict[str, Any]) -> dict[str, Any]:
    """What a flow that is entered from another one sees of that one's results."""
    return {name: result for name, result in results.items() if name not in ("parent", "child")}
