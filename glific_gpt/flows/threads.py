"""Memory in flows: the results that hold a thread_id, and the webhooks that send one back."""

import re

from glific_gpt.flows.files import parse_body
from glific_gpt.flows.structure import JsonObject, as_string, object_items

THREAD_ID = "thread_id"
"""Key of a body and of an answer. A body without it gets an answer without it."""

_VARIABLE = re.compile(r"@results\.([A-Za-z0-9_\-]+)\.thread_id", re.IGNORECASE)
_SERVER_PATH = re.compile(r"/webhooks/[a-z0-9-]{1,63}/[a-z0-9_-]{1,63}(?:\?|\Z)")
"""Path of a webhook of this server, on any host."""


def find_results_with_thread(definition: JsonObject) -> set[str]:
    """Return the names, in lower case, of the results that can hold a thread_id.

    Of other servers and of Glific's own functions it is not known, so that their results are among them.
    """
    webhooks = [action for action in _webhooks(definition) if _can_answer_with_thread(action)]
    names = [action.get("result_name") for action in webhooks]
    names += [parse_body(action).get("result_name") for action in webhooks]
    return {as_string(name).lower() for name in names}


def find_threads_read(definition: JsonObject) -> set[str]:
    """Return the names, in lower case, of the results whose thread_id the webhooks of a flow send back."""
    read = (_VARIABLE.fullmatch(_thread_sent(action)) for action in _webhooks(definition))
    return {match[1].lower() for match in read if match}


def find_lost_thread(action: JsonObject, results_with_thread: set[str]) -> str | None:
    """Return the variable that a webhook sends as thread_id, if no result of its flow can hold it.

    Variables of other kinds, such as a field of the contact, are not judged.
    """
    if action.get("type") != "call_webhook" or THREAD_ID not in as_string(action.get("body")):
        return None
    variable = _thread_sent(action)
    match = _VARIABLE.fullmatch(variable)
    return variable if match and match[1].lower() not in results_with_thread else None


def _webhooks(definition: JsonObject) -> list[JsonObject]:
    actions = (action for node in object_items(definition.get("nodes")) for action in object_items(node.get("actions")))
    return [action for action in actions if action.get("type") == "call_webhook"]


def _thread_sent(action: JsonObject) -> str:
    return as_string(parse_body(action).get(THREAD_ID)).strip()


def _can_answer_with_thread(action: JsonObject) -> bool:
    calls_this_server = as_string(action.get("method")) == "POST" and _SERVER_PATH.search(as_string(action.get("url")))
    return not calls_this_server or THREAD_ID in parse_body(action)
