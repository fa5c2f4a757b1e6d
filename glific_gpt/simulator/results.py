"""What a flow stores as `@results.<name>`."""

from typing import Any

from glific_gpt.clock import now
from glific_gpt.simulator.context import Context
from glific_gpt.simulator.messages import Message


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
