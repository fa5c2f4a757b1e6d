"""What requests hold: addresses and bodies, and how a wrong one is refused."""

from typing import Annotated, NoReturn

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from werkzeug.exceptions import UnsupportedMediaType

from glific_gpt.errors import InvalidJson, InvalidValue, NotFound
from glific_gpt.organizations.changes import SLUG, sentence

ADDRESS = "Address"
MAX_ID = 2**31 - 1
"""The largest that an INTEGER column of PostgreSQL holds."""


class OrganizationPath(BaseModel):
    """An organization's address."""

    model_config = ConfigDict(title=ADDRESS)

    slug: Annotated[str, Field(pattern=SLUG, description="The organization.", examples=["seva-trust"])]


class Body(BaseModel):
    """A body: its keys, of their types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


WITHOUT_BODY = {"api.retry_call"}
"""What is posted to without saying anything."""


def check_body() -> None:
    """Before every request that has a body. Raises UnsupportedMediaType, InvalidJson, InvalidValue."""
    if request.method not in {"POST", "PUT", "PATCH"} or request.endpoint in WITHOUT_BODY:
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send the body as Content-Type: application/json.")
    try:
        # Stricter than the standard library: no NaN, half surrogates, or nesting without end.
        body = from_json(request.get_data(), allow_inf_nan=False)
    except ValueError:
        raise InvalidJson("The body is not JSON in UTF-8.") from None
    if not isinstance(body, dict):
        raise InvalidValue("The body must be a JSON object.")


def refuse(error: ValidationError) -> NoReturn:
    """Raises NotFound for an address that nothing can have, InvalidValue for anything else that was sent."""
    if error.title == ADDRESS:
        raise NotFound
    raise InvalidValue(sentence(error))
