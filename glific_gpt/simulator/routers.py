"""Routers: which way out of a node a message, or the value of an expression, takes (glific/glific: Flows.Router)."""

import secrets
from typing import Any

from glific_gpt.flows.reading import thing, things
from glific_gpt.simulator import cases, localization
from glific_gpt.simulator.context import Context
from glific_gpt.simulator.elixir import to_string, whole
from glific_gpt.simulator.endings import Aborted, Hung
from glific_gpt.simulator.messages import FAILURE, Message
from glific_gpt.simulator.outcomes import Leave, Outcome, Stay
from glific_gpt.simulator.results import keep_reply


def execute(context: Context, router: dict[str, Any], message: Message | None) -> Outcome:
    """Raises Aborted and Hung."""
    if message is None and router.get("wait") is not None:
        return Stay("reply", _patience(context, thing(router["wait"])))
    if router.get("type") == "random":
        return _by_chance(router)
    if router.get("type") != "switch":
        raise Hung(f"A router of the type {router.get('type')} is unknown: the conversation hangs.")
    compared = message or Message(_operand(context, router))
    category, kind = _category(context, router, compared)
    if name := to_string(router.get("result_name")):
        # What people chose from a list of several.
        selected = {"selected": sorted(cases.words(compared.body))} if kind == "has_multiple" else {}
        keep_reply(context, name, compared, localization.category_name(context, category), **selected)
    return Leave(to_string(category.get("exit_uuid")))


def leave_unsimulated(router: dict[str, Any]) -> Leave:
    """The way out where it is not known what would have come: Failure, or that of everything else."""
    category = _of(router, name=FAILURE) or _of(router, uuid=to_string(router.get("default_category_uuid")))
    if category is None:
        raise Hung("A router of this flow has no default category: the conversation hangs.")
    return Leave(to_string(category.get("exit_uuid")))


def _patience(context: Context, wait: dict[str, Any]) -> float | None:
    timeout = thing(wait.get("timeout"))
    if expression := to_string(timeout.get("expression")):
        seconds = whole(context.evaluated(expression))
        if seconds is None:
            raise Hung(f"{expression} is no number of seconds: the conversation hangs.")
    else:
        seconds = whole(timeout.get("seconds"))
    return float(seconds) if seconds and seconds > 0 else None


def _by_chance(router: dict[str, Any]) -> Outcome:
    categories = things(router.get("categories"))
    if not categories:
        raise Hung("A random split has no categories: the conversation hangs.")
    return Leave(to_string(secrets.choice(categories).get("exit_uuid")))


def _operand(context: Context, router: dict[str, Any]) -> str:
    operand = to_string(router.get("operand"))
    if operand.startswith("@fields."):
        operand = operand.replace("@fields.", "@contact.fields.", 1)
    return context.evaluated(operand)


def _category(context: Context, router: dict[str, Any], message: Message) -> tuple[dict[str, Any], str]:
    """And the kind of the case that led to it; "" for none."""
    if message.is_reserved:
        return _reserved(router, message.body), ""
    for case in things(router.get("cases")):
        kind, given = to_string(case.get("type")), localization.arguments(context, case)
        if cases.passes(kind, message, given, context.world.person.groups):
            return _must(_of(router, uuid=to_string(case.get("category_uuid")))), kind
    return _must(_of(router, uuid=to_string(router.get("default_category_uuid")))), ""


def _reserved(router: dict[str, Any], name: str) -> dict[str, Any]:
    category = _of(router, name=name)
    if category is None:
        raise Aborted(f'A split of this flow has no category of the name "{name}": Glific ends the conversation.')
    return category


def _of(router: dict[str, Any], **known: str) -> dict[str, Any] | None:
    (key, value) = known.popitem()
    return next((each for each in things(router.get("categories")) if to_string(each.get(key)) == value), None)


def _must(category: dict[str, Any] | None) -> dict[str, Any]:
    if category is None:
        raise Hung("A case or default of this flow leads to a category that is not there: Glific cannot load it.")
    return category
