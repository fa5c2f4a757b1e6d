"""Rules of an action: the keys that Glific asks for (glific/glific: Flows.Action), and what it makes of them."""

import re
from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.rules.router import broken_in_router
from glific_gpt.flows.rules.webhook import broken_in_webhook
from glific_gpt.flows.structure import Rounds, Thing, has_only, lacking, text, thing, things

REQUIRED: dict[str, tuple[str, ...]] = {
    "send_msg": ("text",),
    "send_interactive_msg": ("name",),
    "send_broadcast": ("contacts", "text"),
    "set_contact_field": ("value", "field"),
    "set_wa_group_field": ("value", "field"),
    "set_contact_name": ("name",),
    "set_contact_language": ("language",),
    "set_contact_profile": ("value", "profile_type"),
    "set_run_result": ("name", "category", "value"),
    "add_contact_groups": ("groups",),
    "remove_contact_groups": ("groups",),
    "add_input_labels": ("labels",),
    "enter_flow": ("flow",),
    "start_session": ("contacts", "create_contact", "flow", "groups", "exclusions"),
    "call_webhook": ("url", "headers", "method", "result_name"),
    "call_classifier": ("input", "result_name"),
    "link_google_sheet": ("sheet_id", "result_name"),
    "open_ticket": ("body",),
    "wait_for_time": ("delay",),
    "wait_for_result": ("delay",),
}
"""All actions that Glific runs."""


def broken_in_action(action: Thing) -> Iterator[str]:
    kind = text(action.get("type"))
    if kind not in REQUIRED:
        yield f'its action is of the type "{kind}", which Glific does not run.'
        return
    yield from lacking(f"its {kind}", action, "uuid", *REQUIRED[kind])
    if kind == "send_msg" and not isinstance(action.get("text"), str):
        yield "its send_msg has no text."
    if kind in ("wait_for_time", "wait_for_result"):
        if not _is_seconds(action.get("delay")):
            yield f"its {kind} does not wait: delay must be whole seconds, as a text."
    elif not _is_no_delay_or_seconds(action.get("delay")):
        yield f"its {kind} has a delay that is no number of seconds."
    yield from _broken_templating(action.get("templating"))


def _is_seconds(delay: Any) -> bool:
    """Glific reads it as a text; without seconds the flow goes on at once, and nothing can resume it."""
    return isinstance(delay, str) and re.fullmatch(r"\s*0*[1-9][0-9]*\s*", delay) is not None


def _is_no_delay_or_seconds(delay: Any) -> bool:
    if isinstance(delay, str):
        return re.fullmatch("[0-9]*", delay) is not None
    return delay is None or (isinstance(delay, int) and not isinstance(delay, bool))


def _broken_templating(templating: Any) -> Iterator[str]:
    if templating is None or isinstance(thing(templating).get("expression"), str):
        return
    if "uuid" not in thing(thing(templating).get("template")):
        yield "its message names no template."


WAITING = ("wait_for_time", "wait_for_result")


def broken_in_node(node: Thing, known: set[str], rounds: Rounds) -> Iterator[str]:
    """`known` are the uuids of all nodes of the flow."""
    yield from lacking("it", node, "uuid")
    yield from _broken_exits(node, known)
    if not has_only(node.get("actions"), dict):
        yield "its actions are not a list."
    for action in things(node.get("actions")):
        yield from broken_in_action(action)
    if node.get("router") is not None:
        yield from broken_in_router(node["router"], node)
    yield from _broken_company(node)
    yield from broken_in_webhook(node, rounds)


def _broken_exits(node: Thing, known: set[str]) -> Iterator[str]:
    if not has_only(node.get("exits"), dict) or not node["exits"]:
        yield "its exits are not a list of exits."
    for out in things(node.get("exits")):
        yield from lacking("an exit", out, "uuid")
        destination = out.get("destination_uuid")
        if destination is not None and text(destination) not in known:
            yield f"an exit leads to {destination}, which is no node."


def _broken_company(node: Thing) -> Iterator[str]:
    """Which actions Glific reaches."""
    actions, router = things(node.get("actions")), thing(node.get("router"))
    if not actions and not router:
        yield "it has neither an action nor a router."
    if router and len(actions) > 1:
        yield "it has a router and more than one action: Glific runs only the first."
    if len(actions) > 1 and any(action.get("type") in WAITING for action in actions):
        yield "it waits, and has another action: Glific runs only one of them."
