"""Validate the body of a call: its fields, and variables that Glific did not fill."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from glific_gpt.errors import (
    MSG_EMPTY_QUESTION,
    EmptyQuestion,
    GlificGptError,
    InvalidField,
    UnresolvedVariable,
    validation,
)
from glific_gpt.flows.variables import MAX_DEFAULTS, fill_defaults, find_joined, find_unresolved
from glific_gpt.functions.contract import EMPTY_QUESTION, THREAD_ID, Body, Function

GLIFIC_FIELDS = {"contact", "results", "flow_id", "contact_id", "organization_id", "result_name", THREAD_ID}
"""Fields that Glific fills, or that do not affect the answer: they are not searched for unfilled variables."""


def validate_body(function: Function[Body], values: dict[str, Any]) -> Body:
    """Return the validated body.

    Raises EmptyQuestion or InvalidField for the first invalid field, and UnresolvedVariable for the first variable
    that Glific did not fill because no value is stored under its name.
    """
    values = _fill_defaults(function, values)
    unresolved = dict(_unresolved(function, values))
    try:
        body = function.body.model_validate(values)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            # An unfilled variable in a number field is reported as such: that message names the cause.
            if _field(details) not in unresolved:
                raise _to_error(details) from None
    for field, (variable, reason) in unresolved.items():
        raise UnresolvedVariable.of(field, variable, reason)
    return body


def _fill_defaults(function: Function[Body], values: dict[str, Any]) -> dict[str, Any]:
    """Replace variables that Glific did not fill by their texts in `defaults`: {"results.answer.parsed_msg": "-"}.

    Only texts of the function's own fields are changed. Raises InvalidField for defaults of another shape.
    """
    defaults = values.get("defaults")
    if not defaults:
        return values
    if not isinstance(defaults, dict) or not all(isinstance(text, str) for text in defaults.values()):
        raise InvalidField.of("defaults", "write an object with names of variables and texts.")
    if len(defaults) > MAX_DEFAULTS:
        raise InvalidField.of("defaults", f"write at most {MAX_DEFAULTS} variables.")
    fields = {name for name in function.body.model_fields if name not in GLIFIC_FIELDS}
    return {
        name: fill_defaults(value, defaults) if name in fields and isinstance(value, str) else value
        for name, value in values.items()
    }


def _unresolved(function: Function[Body], values: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each field of the function that holds an unfilled variable, with the first one and its reason."""
    for field in [name for name in values if name in function.body.model_fields and name not in GLIFIC_FIELDS]:
        for text in _texts(values[field]):
            if variables := find_unresolved(text, is_typed=field in function.body.TYPED_FIELDS):
                yield field, (variables[0], _describe_unresolved(text, variables[0]))
                break


def _describe_unresolved(text: str, variable: str) -> str:
    if variable in find_joined(text):
        return (
            f"Glific does not fill {variable}, because a letter or sign outside ASCII follows it directly. "
            f"Put a blank behind {variable} in the node."
        )
    return (
        f"the node reads {variable}, but no value is stored under that name. "
        "Check the name of the result or field in the node."
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a JSON value, in order. Not recursive: each text would pass through all levels above it."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            pending.extend(reversed(current.values()))
        elif isinstance(current, list):
            pending.extend(reversed(current))


def _field(details: ErrorDetails) -> str:
    return str(details["loc"][0]) if details["loc"] else ""


def _to_error(details: ErrorDetails) -> GlificGptError:
    field, sentence = _field(details), validation.describe(details)
    if details["type"] == EMPTY_QUESTION:
        return EmptyQuestion().naming(field) if field else EmptyQuestion(MSG_EMPTY_QUESTION).naming("question")
    return InvalidField.of(field, f"{sentence}.") if field else InvalidField(f"{sentence}.")
