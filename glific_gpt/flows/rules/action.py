"""Rules of an action: the keys that Glific asks for (glific/glific: Flows.Action), and what it makes of them."""

import re
from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.reading import Thing, lacking, text, thing

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
