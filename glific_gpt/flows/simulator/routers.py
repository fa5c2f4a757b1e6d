"""The cases of a router: whether what was sent passes one (glific/glific: Flows.Case).

The kinds that Glific knows and no others: at those that only its editor offers its flow crashes.
"""

import re
import secrets
import warnings
from collections.abc import Callable
from typing import Any

from email_validator import EmailNotValidError, validate_email

from glific_gpt.flows.simulator import sending
from glific_gpt.flows.simulator.context import Context, keep_reply
from glific_gpt.flows.simulator.eex import to_string, whole
from glific_gpt.flows.simulator.event_log import Aborted, Hung
from glific_gpt.flows.simulator.outcomes import FAILURE, Leave, Message, Outcome, Stay
from glific_gpt.flows.structure import thing, things

_PHONE = re.compile(r"(\+?91|0)?[6-9][0-9]{9}")


def passes(kind: str, message: Message, arguments: list[str], groups: list[str]) -> bool:
    """Raises Hung for a kind or an argument that Glific crashes at."""
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
        raise Hung(f"This Glific may not know the case {kind}: the conversation would hang there.")
    return message.is_text and _TEXT[kind](message.body, first)


def words(text: str) -> set[str]:
    """In small letters, cut at spaces, commas and semicolons."""
    return {word for word in re.split(r"[\s,;]+", text.lower()) if word}


def _strip(text: str) -> str:
    return text.strip().lower()


def _is_between(body: str, arguments: list[str]) -> bool:
    if len(arguments) != 2:
        raise Hung("A case has_number_between needs two numbers: the conversation would hang there.")
    number, low, high = (whole(each) if each == each.strip() else None for each in (body, *arguments))
    return number is not None and low is not None and high is not None and low <= number <= high


def _matches(body: str, pattern: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.search(_strip(pattern), _strip(body)) is not None
    except (re.error, OverflowError, RecursionError):
        raise Hung(f"{pattern} is no regular expression: the conversation would hang there.") from None


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
    "has_only_text": lambda body, argument: _strip(argument) == _strip(body),
    "has_only_phrase": lambda body, argument: _strip(argument) == _strip(body),
    "has_number_eq": lambda body, argument: _strip(argument) == _strip(body),
    "has_number": lambda body, _: re.search(r"[0-9]", body) is not None,
    "has_any_word": lambda body, argument: bool(words(body) & words(argument)),
    "has_all_words": lambda body, argument: words(argument) <= words(body),
    "has_multiple": lambda body, argument: words(body) <= words(argument),
    # Glific itself looks for the message in the argument, not the other way round.
    "has_phrase": lambda body, argument: _strip(body) in _strip(argument),
    "has_beginning": lambda body, argument: _strip(argument).startswith(_strip(body)),
    "has_pattern": _matches,
    "has_phone": lambda body, _: _PHONE.fullmatch(re.sub(r"[\s-]", "", body)) is not None,
    "has_email": lambda body, _: _is_email(body),
    # There is no classifier here that would know.
    "has_intent": lambda _body, _argument: False,
    "has_top_intent": lambda _body, _argument: False,
}


def execute_router(context: Context, router: dict[str, Any], message: Message | None) -> Outcome:
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
        selected = {"selected": sorted(words(compared.body))} if kind == "has_multiple" else {}
        keep_reply(context, name, compared, sending.category_name(context, category), **selected)
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
        kind, given = to_string(case.get("type")), sending.arguments(context, case)
        if passes(kind, message, given, context.world.person.groups):
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
