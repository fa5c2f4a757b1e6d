"""Rules of a node: its exits, its actions with the keys that Glific requires, and its webhook.

Sources: glific/glific, Flows.Action and Flows.Webhook.
"""

import re
from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.files import StrictJsonError, parse_json
from glific_gpt.flows.rules.router import check_router
from glific_gpt.flows.structure import (
    CycleFinder,
    JsonObject,
    as_object,
    as_string,
    describe_missing_keys,
    is_list_of,
    object_items,
)

REQUIRED_KEYS: dict[str, tuple[str, ...]] = {
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
WAIT_ACTIONS = ("wait_for_time", "wait_for_result")


def check_node(node: JsonObject, node_uuids: set[str], cycles: CycleFinder) -> Iterator[str]:
    """Yield sentences about one node. `node_uuids` are those of all nodes of the flow."""
    yield from describe_missing_keys("it", node, "uuid")
    yield from _check_exits(node, node_uuids)
    if not is_list_of(node.get("actions"), dict):
        yield "its actions are not a list."
    for action in object_items(node.get("actions")):
        yield from _check_action(action)
    if node.get("router") is not None:
        yield from check_router(node["router"], node)
    yield from _check_reachable_actions(node)
    yield from _check_webhooks(node, cycles)


def _check_exits(node: JsonObject, node_uuids: set[str]) -> Iterator[str]:
    if not is_list_of(node.get("exits"), dict) or not node["exits"]:
        yield "its exits are not a list of exits."
    for node_exit in object_items(node.get("exits")):
        yield from describe_missing_keys("an exit", node_exit, "uuid")
        destination = node_exit.get("destination_uuid")
        if destination is not None and as_string(destination) not in node_uuids:
            yield f"an exit leads to {destination}, which is not a node."


def _check_reachable_actions(node: JsonObject) -> Iterator[str]:
    """Check that Glific runs all actions of the node."""
    actions, router = object_items(node.get("actions")), as_object(node.get("router"))
    if not actions and not router:
        yield "it has neither an action nor a router."
    if router and len(actions) > 1:
        yield "it has a router and more than one action. Glific runs only the first action."
    if len(actions) > 1 and any(action.get("type") in WAIT_ACTIONS for action in actions):
        yield "it waits, and has another action. Glific runs only one of them."


def _check_action(action: JsonObject) -> Iterator[str]:
    kind = as_string(action.get("type"))
    if kind not in REQUIRED_KEYS:
        yield f'its action has the type "{kind}", which Glific does not run.'
        return
    yield from describe_missing_keys(f"its {kind}", action, "uuid", *REQUIRED_KEYS[kind])
    if kind == "send_msg" and not isinstance(action.get("text"), str):
        yield "its send_msg has no text."
    if kind in WAIT_ACTIONS:
        if not _is_wait_delay(action.get("delay")):
            yield f"its {kind} does not wait: delay must be whole seconds, as text."
    elif not _is_optional_delay(action.get("delay")):
        yield f"its {kind} has a delay that is not a number of seconds."
    yield from _check_templating(action.get("templating"))


def _is_wait_delay(delay: Any) -> bool:
    """Return whether it is text with at least one second: otherwise the flow continues and cannot be resumed."""
    return isinstance(delay, str) and re.fullmatch(r"\+?0*[1-9][0-9]*", delay) is not None


def _is_optional_delay(delay: Any) -> bool:
    if isinstance(delay, str):
        return re.fullmatch("[0-9]*", delay) is not None
    return delay is None or (isinstance(delay, int) and not isinstance(delay, bool))


def _check_templating(templating: Any) -> Iterator[str]:
    if templating is None or isinstance(as_object(templating).get("expression"), str):
        return
    if "uuid" not in as_object(as_object(templating).get("template")):
        yield "its message names no template."


WEBHOOK_METHODS = ("get", "post", "function")
REPEATABLE_FUNCTIONS = (
    "parse_via_chat_gpt",
    "parse_via_gpt_vision",
    "filesearch-gpt",
    "voice-filesearch-gpt",
    "speech_to_text",
    "text_to_speech",
)
"""Glific's own functions: it does not drop their repeated calls within a minute."""


def _check_webhooks(node: JsonObject, cycles: CycleFinder) -> Iterator[str]:
    for action in object_items(node.get("actions")):
        if action.get("type") == "call_webhook":
            yield from _check_webhook(action)
            yield from _check_webhook_categories(node)
            returns = cycles.returns_to(as_string(node.get("uuid")), object_items(node.get("exits")))
            if returns and _is_repeat_dropped(action):
                yield "the flow returns to its webhook, but the address never changes. Glific drops the second call."


def _check_webhook(action: JsonObject) -> Iterator[str]:
    if as_string(action.get("method")).lower() not in WEBHOOK_METHODS:
        yield "its webhook's method is neither GET nor POST nor FUNCTION."
    if not as_string(action.get("url")):
        yield "its webhook has no address."
    if not isinstance(action.get("headers"), dict):
        yield "its webhook's headers are not an object."
    if not as_string(action.get("result_name")):
        yield "its webhook has no result name, so the answer is lost."
    if action.get("body") not in (None, "") and not _is_json_object(action["body"]):
        yield "its webhook's body is not a JSON object, so the conversation would stop there."


def _check_webhook_categories(node: JsonObject) -> Iterator[str]:
    categories = object_items(as_object(node.get("router")).get("categories"))
    names = {as_string(category.get("name")) for category in categories}
    for name in ("Success", "Failure"):
        if name not in names:
            yield f'its webhook has no category "{name}".'


def _is_json_object(body: object) -> bool:
    try:
        return isinstance(body, str) and isinstance(parse_json(body), dict)
    except StrictJsonError:
        return False


def _is_repeat_dropped(action: JsonObject) -> bool:
    """Return whether Glific drops a second call within 60 seconds: it does if the final address is the same."""
    return "@" not in as_string(action.get("url")) and action.get("url") not in REPEATABLE_FUNCTIONS
