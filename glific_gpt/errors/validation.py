"""Plain sentences for values that pydantic refuses. Its own sentences are for programmers."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

_OWN = {"value_error", "assertion_error"}
"""Types of errors with a sentence of our own."""

_WHOLE_NUMBER = "this must be a whole number"
_NUMBER = "this must be a number"
_TRUTH = "this must be true or false"
_TEXT = "this must be a text"
_LIST = "this must be a list"
_OBJECT = "this must be an object"

_SENTENCES: Mapping[str, str] = {
    "missing": "this is required",
    "missing_argument": "this is required",
    "extra_forbidden": "there is no field with this name",
    "none_required": "this must be null",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": _TEXT,
    "string_too_short": "this must have at least {min_length} character(s)",
    "string_too_long": "this can have at most {max_length} characters",
    "string_pattern_mismatch": "this is not written in an accepted way. Check its characters and its length",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": "this number has too many digits",
    "decimal_max_places": "this number can have at most {decimal_places} decimals",
    "decimal_whole_digits": "this number has too many digits",
    "multiple_of": "this must be a multiple of {multiple_of}",
    "greater_than": "this must be more than {gt}",
    "greater_than_equal": "this must be at least {ge}",
    "less_than": "this must be less than {lt}",
    "less_than_equal": "this can be at most {le}",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "too_short": "this must have at least {min_length} entry or entries",
    "too_long": "this can have at most {max_length} entries",
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "literal_error": "this must be {expected}",
    "enum": "this must be {expected}",
    "union_tag_invalid": "this must be of one of these kinds: {expected_tags}",
    "union_tag_not_found": "this must say its kind",
    "json_invalid": "this must be JSON",
    "json_type": "this must be JSON",
    "url_parsing": "this must be an address that begins with https://",
    "url_type": "this must be an address that begins with https://",
    "url_scheme": "this must be an address that begins with https://",
}
_OTHER = "this value is not accepted here"
_PYDANTIC_TYPES = frozenset(get_args(ErrorType)) - _OWN


def describe(details: ErrorDetails) -> str:
    """Return what is wrong with a value, without a capital at the beginning and without a full stop.

    The value itself is not repeated, since it may be personal or secret.
    """
    kind = details["type"]
    if kind in _PYDANTIC_TYPES:
        return _fill(_SENTENCES.get(kind, _OTHER), details.get("ctx") or {})
    message = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{message[:1].lower()}{message[1:]}".removesuffix(".")


def _fill(sentence: str, context: Mapping[str, Any]) -> str:
    try:
        return sentence.format_map(context)
    except KeyError:
        return _OTHER
