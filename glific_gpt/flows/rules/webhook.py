"""Rules of a webhook: what Glific can call, and what it drops (glific/glific: Flows.Webhook)."""

from collections.abc import Iterator

from glific_gpt.flows.files import NotStrict, decoded
from glific_gpt.flows.structure import Rounds, Thing, text, thing, things

METHODS = ("get", "post", "function")
MAY_REPEAT = (
    "parse_via_chat_gpt",
    "parse_via_gpt_vision",
    "filesearch-gpt",
    "voice-filesearch-gpt",
    "speech_to_text",
    "text_to_speech",
)
"""Glific's own functions that it calls again within a minute."""


def broken_in_webhook(node: Thing, rounds: Rounds) -> Iterator[str]:
    for action in things(node.get("actions")):
        if action.get("type") == "call_webhook":
            yield from _broken_call(action)
            yield from _broken_ways_out(node)
            if _is_dropped_on_return(action) and rounds.lead_back(text(node.get("uuid")), things(node.get("exits"))):
                yield "the flow comes back to its webhook, whose address never changes: Glific drops the second call."


def _broken_call(action: Thing) -> Iterator[str]:
    if text(action.get("method")).lower() not in METHODS:
        yield "its webhook's method is neither GET nor POST nor FUNCTION."
    if not text(action.get("url")):
        yield "its webhook has no address."
    if not isinstance(action.get("headers"), dict):
        yield "its webhook's headers are not an object."
    if not text(action.get("result_name")):
        yield "its webhook has no result name, so its answer is lost."
    if action.get("body") not in (None, "") and not _is_object(action["body"]):
        yield "its webhook's body is not a JSON object: the conversation would hang."


def _broken_ways_out(node: Thing) -> Iterator[str]:
    names = {text(category.get("name")) for category in things(thing(node.get("router")).get("categories"))}
    for name in ("Success", "Failure"):
        if name not in names:
            yield f'its webhook has no category "{name}".'


def _is_object(body: object) -> bool:
    try:
        return isinstance(body, str) and isinstance(decoded(body), dict)
    except NotStrict:
        return False


def _is_dropped_on_return(action: Thing) -> bool:
    """Within 60 seconds, if the address is the same after its variables are filled in."""
    return "@" not in text(action.get("url")) and action.get("url") not in MAY_REPEAT
