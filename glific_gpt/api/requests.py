"""Validation of requests: path parameters and bodies."""

from typing import Annotated, NoReturn

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from werkzeug.exceptions import UnsupportedMediaType

from glific_gpt.errors import InvalidJson, InvalidValue, NotFound
from glific_gpt.organizations.changes import SLUG_IN_PATH, describe_error
from glific_gpt.settings import MAX_BODY_BYTES

PATH_TITLE = "Path"
MAX_ID = 2**31 - 1
"""The largest value of an INTEGER column of PostgreSQL."""


class OrganizationPath(BaseModel):
    """Path parameters of an organization."""

    model_config = ConfigDict(title=PATH_TITLE)

    slug: Annotated[
        str, Field(pattern=SLUG_IN_PATH, description="The slug of the organization.", examples=["seva-trust"])
    ]


class Body(BaseModel):
    """A JSON body. Unknown keys and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


ENDPOINTS_WITHOUT_BODY = {"api.retry_call"}
"""POST endpoints that need no body."""


def validate_body() -> None:
    """Check before every route that the body is a JSON object.

    Raises UnsupportedMediaType, InvalidJson or InvalidValue.
    """
    if request.method not in {"POST", "PUT", "PATCH"} or request.endpoint in ENDPOINTS_WITHOUT_BODY:
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send the body as Content-Type: application/json.")
    request.max_content_length = MAX_BODY_BYTES
    try:
        # Stricter than the standard library: no NaN, no lone surrogates, and a limit of nesting.
        body = from_json(request.get_data(), allow_inf_nan=False)
    except ValueError:
        raise InvalidJson("The body is not JSON in UTF-8. Check its syntax and encoding.") from None
    if not isinstance(body, dict):
        raise InvalidValue("The body must be a JSON object.")


def raise_validation_error(error: ValidationError) -> NoReturn:
    """Raise NotFound for an invalid path parameter, and InvalidValue for any other invalid value."""
    if error.title == PATH_TITLE:
        raise NotFound
    raise InvalidValue(describe_error(error))
