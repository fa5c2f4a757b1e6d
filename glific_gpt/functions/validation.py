"""Checks what a webhook sent against a function's body, before anything is spent."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from glific_gpt.errors import EmptyQuestion, GlificGptError, InvalidField, UnresolvedVariable
from glific_gpt.functions.contract import Body, Function
from glific_gpt.glific.variables import find_unresolved

FROM_GLIFIC = {"contact", "results", "flow_id", "contact_id", "organization_id", "result_name"}
"""Fields that Glific fills in, or that an answer does not depend on."""

EMPTY_QUESTION = "empty_question"
"""The type of the error that a field raises when there is nothing to answer."""


def check(function: Function[Body], values: dict[str, Any]) -> Body:
    """The function's checked body.

    Raises EmptyQuestion or InvalidField for the first field that is wrong; then UnresolvedVariable for
    the first variable that Glific left as it was, because nothing was stored under its name.
    """
    unresolved = dict(_unresolved(function, values))
    try:
        body = function.body.model_validate(values)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            # A variable where a number should be is no wrong number: the sentence about it says what to mend.
            if _field(details) not in unresolved:
                raise _our_error(details) from None
    for field, variable in unresolved.items():
        raise UnresolvedVariable(
            f"{field}: your node reads {variable}, but nothing was stored under that name: "
            "check the name of the result or field that it reads."
        )
    return body


def _unresolved(function: Function[Body], values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each field of the function's own that holds a variable, with the first such variable."""
    for field in [name for name in function.body.model_fields if name not in FROM_GLIFIC]:
        variables = [name for text in _texts(values.get(field)) for name in find_unresolved(text)]
        if variables:
            yield field, variables[0]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _field(details: ErrorDetails) -> str:
    return str(details["loc"][0]) if details["loc"] else ""


def _our_error(details: ErrorDetails) -> GlificGptError:
    if details["type"] == EMPTY_QUESTION:
        return EmptyQuestion()
    message = details["msg"].removeprefix("Value error, ")
    field = _field(details)
    return InvalidField(f"{field}: {message[:1].lower()}{message[1:]}." if field else f"{message}.")
