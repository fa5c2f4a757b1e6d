"""The cases of a router: whether what was sent passes one (glific/glific: Flows.Case).

The kinds that Glific knows and no others: at those that only its editor offers its flow crashes.
"""

import re
import warnings
from collections.abc import Callable

from email_validator import EmailNotValidError, validate_email

from glific_gpt.simulator.elixir import whole
from glific_gpt.simulator.endings import Hung
from glific_gpt.simulator.messages import Message

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
