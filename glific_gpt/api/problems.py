"""Errors of the JSON API, as application/problem+json (RFC 9457) with a code."""

from typing import Literal

from flask import Response, json
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from glific_gpt.errors import GlificGptError

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "not_json",
}


class Problem(BaseModel):
    """What went wrong, and what can be done about it."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    code: str = Field(description="Stays the same when the words change.")


def problem(error: GlificGptError) -> Response:
    return _response(error.status, error.code, str(error), error.retry_after)


def reply_to_http_error(error: HTTPException) -> Response:
    """For what Flask itself refuses."""
    status = error.code or 500
    response = _response(status, CODES.get(status, "bad_request"), error.description or error.name)
    if allow := dict(error.get_headers()).get("Allow"):
        response.headers["Allow"] = allow
    return response


def _response(status: int, code: str, detail: str, retry_after: int | None = None) -> Response:
    title = code.replace("_", " ").capitalize()
    content = Problem(title=title, status=status, detail=detail, code=code).model_dump()
    response = Response(json.dumps(content), status, mimetype="application/problem+json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
