"""Errors of the JSON API, as application/problem+json (RFC 9457) with a code."""

from http import HTTPStatus
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from glific_gpt.errors import GlificGptError, NotFound

MEDIA_TYPE = "application/problem+json"

CODES = {
    405: "method_not_allowed",
    413: "body_too_large",
    415: "not_json",
}

MEANINGS = {
    400: "The body is not JSON.",
    401: "There is no token, or none that is known.",
    403: "Only an administrator's token may do this.",
    404: "It is not there, or it is another organization's.",
    409: "It is there already, or somebody else changed it at the same moment.",
    413: "The body is over 1 MiB.",
    415: "The body is not sent as application/json.",
    422: "A value cannot be taken, or the provider or Glific does not accept it.",
    503: "The database is busy or cannot be reached.",
}

HEADERS = {401: "WWW-Authenticate", 503: "Retry-After"}


class Problem(BaseModel):
    """What went wrong, and what can be done about it."""

    type: Literal["about:blank"] = "about:blank"
    title: str = Field(description="The name of the HTTP status.", examples=["Not Found"])
    status: int
    detail: str = Field(
        description="One plain sentence, without the values that were sent.",
        examples=["There is nothing here under that name."],
    )
    code: str = Field(description="Stays the same when the words change.", examples=["not_found"])


def problem(error: GlificGptError) -> Response:
    response = _response(error.status, error.code, str(error))
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def reply_to_http_error(error: HTTPException) -> Response:
    """For what Flask itself refuses."""
    status = error.code or 500
    if status == HTTPStatus.NOT_FOUND:
        return problem(NotFound())
    response = _response(status, CODES.get(status, "bad_request"), error.description or error.name)
    if allow := dict(error.get_headers()).get("Allow"):
        response.headers["Allow"] = allow
    return response


def declared(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """The description of the problems with these statuses."""
    return {status: _declared(status) for status in statuses}


def _declared(status: int) -> dict[str, Any]:
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
