"""Run routers: test a message against their cases and follow an exit (glific/glific: Flows.Router, Flows.Case).

Only the types of cases that Glific itself knows are supported: its flows crash at types that only its editor offers.
"""

import re
import secrets
from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email

from glific_gpt.flows.simulator.context import Context, store_reply
from glific_gpt.flows.simulator.event_log import FlowAborted, FlowStuck
from glific_gpt.flows.simulator.expressions import to_int, to_string
from glific_gpt.flows.simulator.messages import translate_arguments, translate_category_name
from glific_gpt.flows.simulator.outcomes import FAILURE, FollowExit, Message, Outcome, Wait
from glific_gpt.flows.simulator.patterns import describe_doubt, matches_pattern
from glific_gpt.flows.structure import JsonObject, as_object, object_items

# glific/glific: Glific.parse_maybe_number. Integers are limited, because Python's float takes no more than 308 digits.
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
_PHONE = re.compile(r"(\+?91|0)?[6-9][0-9]{9}")


def case_matches(kind: str, message: Message, arguments: list[str], groups: list[str]) -> bool:
    """Return whether a message passes a case. Raises FlowStuck for a type or argument at which Glific crashes."""
    first = arguments[0] if arguments else ""
    if kind in _ALWAYS:
        return True
    if kind in _MEDIA:
        return message.kind in _MEDIA[kind]
    if kind == "has_group":
        return arguments[-1] in groups if arguments else False
    if kind == "has_number_between":
        return message.is_text and _is_between(message.body, arguments)
    if kind not in _TEXT:
        raise FlowStuck(f"Glific may not support the case {kind}, and the conversation would hang here.")
    return message.is_text and _TEXT[kind](message.body, first)


def split_words(text: str) -> set[str]:
    """Return the words in lower case, separated by spaces, commas and semicolons."""
    return {word for word in re.split(r"[\s,;]+", text.lower()) if word}


def _normalize(text: str) -> str:
    return text.strip().lower()


def _is_between(body: str, arguments: list[str]) -> bool:
    if len(arguments) != 2:
        raise FlowStuck("A case has_number_between needs two numbers. Without them the conversation would hang here.")
    if not all(_NUMBER.fullmatch(text) for text in (body, *arguments)):
        return False
    number, low, high = map(float, (body, *arguments))
    return low <= number <= high


def _is_email(body: str) -> bool:
    try:
        validate_email(body, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


_ALWAYS = frozenset({"has_category"})
_MEDIA = {
    "has_media": ("audio", "document", "image", "video"),
    "has_audio": ("audio",),
    "has_image": ("image",),
    "has_video": ("video",),
    "has_file": ("document",),
    "has_location": ("location",),
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "has_only_text": lambda body, argument: _normalize(argument) == _normalize(body),
    "has_only_phrase": lambda body, argument: _normalize(argument) == _normalize(body),
    "has_number_eq": lambda body, argument: _normalize(argument) == _normalize(body),
    "has_number": lambda body, _: re.search(r"[0-9]", body) is not None,
    "has_any_word": lambda body, argument: bool(split_words(body) & split_words(argument)),
    "has_all_words": lambda body, argument: split_words(argument) <= split_words(body),
    "has_multiple": lambda body, argument: split_words(body) <= split_words(argument),
    "has_phrase": lambda body, argument: _normalize(argument) in _normalize(body),
    "has_beginning": lambda body, argument: _normalize(body).startswith(_normalize(argument)),
    "has_pattern": lambda body, argument: matches_pattern(_normalize(body), _normalize(argument)),
    "has_phone": lambda body, _: _PHONE.fullmatch(re.sub(r"[\s-]", "", body)) is not None,
    "has_email": lambda body, _: _is_email(body),
    # The simulation has no classifier.
    "has_intent": lambda _body, _argument: False,
    "has_top_intent": lambda _body, _argument: False,
}


def execute_router(context: Context, router: JsonObject, message: Message | None) -> Outcome:
    """Run the router of a node. Raises FlowAborted and FlowStuck."""
    if message is None and router.get("wait") is not None:
        return Wait("reply", _timeout_seconds(context, as_object(router["wait"])))
    if router.get("type") == "random":
        return _follow_random_category(router)
    if router.get("type") != "switch":
        raise FlowStuck(f"Glific does not know the router type {router.get('type')}. The conversation stops here.")
    tested = message or Message(_evaluate_operand(context, router))
    category, kind = _choose_category(context, router, tested)
    if name := to_string(router.get("result_name")):
        # The options that the contact chose from a list of several.
        selected = {"selected": sorted(split_words(tested.body))} if kind == "has_multiple" else {}
        store_reply(context, name, tested, translate_category_name(context, category), **selected)
    return FollowExit(to_string(category.get("exit_uuid")))


def follow_unsimulated_action(router: JsonObject) -> FollowExit:
    """Follow the exit of an action with an unknown result: Failure, or else the default."""
    category = _find_category(router, "name", FAILURE) or _find_category(router, "uuid", _default_uuid(router))
    if category is None:
        raise FlowStuck("A router of this flow has no default category. The conversation stops here.")
    return FollowExit(to_string(category.get("exit_uuid")))


def _timeout_seconds(context: Context, wait: JsonObject) -> float | None:
    timeout = as_object(wait.get("timeout"))
    if expression := to_string(timeout.get("expression")):
        seconds = to_int(context.evaluate(expression))
        if seconds is None:
            raise FlowStuck(f"The time-out {expression} is not a number of seconds. The conversation stops here.")
    else:
        seconds = to_int(timeout.get("seconds"))
    return float(seconds) if seconds and seconds > 0 else None


def _follow_random_category(router: JsonObject) -> Outcome:
    categories = object_items(router.get("categories"))
    if not categories:
        raise FlowStuck("A random split has no categories. The conversation stops here.")
    return FollowExit(to_string(secrets.choice(categories).get("exit_uuid")))


def _evaluate_operand(context: Context, router: JsonObject) -> str:
    operand = to_string(router.get("operand"))
    if operand.startswith("@fields."):
        operand = operand.replace("@fields.", "@contact.fields.", 1)
    return context.evaluate(operand)


def _choose_category(context: Context, router: JsonObject, message: Message) -> tuple[JsonObject, str]:
    """Return the category, and the type of the case that led to it; "" if no case was tested or passed."""
    if message.is_reserved:
        return _reserved_category(router, message.body), ""
    for case in object_items(router.get("cases")):
        kind, arguments = to_string(case.get("type")), translate_arguments(context, case)
        if kind == "has_pattern" and message.is_text and arguments:
            _note_doubt(context, message.body, arguments[0])
        if case_matches(kind, message, arguments, context.simulation.contact.groups):
            return _require(_find_category(router, "uuid", to_string(case.get("category_uuid")))), kind
    return _require(_find_category(router, "uuid", _default_uuid(router))), ""


def _note_doubt(context: Context, body: str, pattern: str) -> None:
    if doubt := describe_doubt(_normalize(body), _normalize(pattern)):
        context.simulation.log.add_note(doubt)


def _reserved_category(router: JsonObject, name: str) -> JsonObject:
    category = _find_category(router, "name", name)
    if category is None:
        raise FlowAborted(f'A split of this flow has no category "{name}". Glific ends the conversation.')
    return category


def _default_uuid(router: JsonObject) -> str:
    return to_string(router.get("default_category_uuid"))


def _find_category(router: JsonObject, key: str, value: str) -> JsonObject | None:
    categories = object_items(router.get("categories"))
    return next((category for category in categories if to_string(category.get(key)) == value), None)


def _require(category: JsonObject | None) -> JsonObject:
    if category is None:
        raise FlowStuck("A case or the default leads to a category that does not exist. Glific cannot load the flow.")
    return category
