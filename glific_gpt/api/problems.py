"""Errors of the JSON API, as application/problem+json (RFC 9457) with a code."""

from http import HTTPStatus
from typing import Any, Literal

from flask import Response, g
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from glific_gpt.api.authentication import current_caller
from glific_gpt.errors import GlificGptError, NotFound

MEDIA_TYPE = "application/problem+json"

CODES = {
    401: "unauthorized",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "not_json",
}

MEANINGS = {
    400: "The body is not JSON.",
    401: "The API token is missing or not valid.",
    403: "This needs an administrator's token.",
    404: "It does not exist, or the token cannot access it.",
    409: "It exists already, its state does not allow this, or another request changed it at the same time.",
    413: "The body is larger than 1 MiB.",
    415: "The Content-Type is not application/json.",
    422: "A value is not valid, or the provider or Glific refuses it.",
    429: "Two requests of this organization wait for the provider or Glific already.",
    502: "The provider or Glific could not be reached, or had an internal error. Nothing was saved.",
    503: "The database is busy or unavailable.",
}

HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


class Problem(BaseModel):
    """An error."""

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="The name of the HTTP status.", examples=["Not Found"])
    status: int
    detail: str = Field(
        description="A description of the error and of its fix, without the values that were sent.",
        examples=["Nothing with this name was found. Check the name."],
    )
    code: str = Field(description="The stable name of the error.", examples=["not_found"])


def problem_response(error: GlificGptError) -> Response:
    """Return the response for an error of the app."""
    is_administrator = "caller" in g and current_caller().is_administrator
    response = _response(error.status, error.code, error.administrator_message if is_administrator else str(error))
    # Required with a 401 (RFC 9110, 11.6.1).
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def respond_to_http_error(error: HTTPException) -> Response:
    """Return the response for an error of Flask itself."""
    status = error.code or 500
    if status == HTTPStatus.NOT_FOUND:
        return problem_response(NotFound())
    response = _response(status, CODES.get(status, "bad_request"), error.description or error.name)
    # Required with a 405 and a 401 (RFC 9110, 15.5.6 and 11.6.1).
    for name, value in error.get_headers():
        if name in {"Allow", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def problem_specs(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Return the OpenAPI responses for these statuses."""
    return {status: _problem_spec(status) for status in statuses}


def _problem_spec(status: int) -> dict[str, Any]:
    header = {"required": True, "schema": {"type": "string"}}
    return {
        "description": MEANINGS[status],
        "headers": {HEADERS[status]: header} if status in HEADERS else None,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _response(status: int, code: str, detail: str) -> Response:
    content = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code)
    response = Response(content.model_dump_json(), status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response
