"""Responses of the webhook: one JSON object, for every outcome; and the mode in which a caller asks for one."""

from urllib.parse import parse_qsl

import structlog
from flask import Response, json, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from glific_gpt import errors
from glific_gpt.calls.call_counts import count_refused
from glific_gpt.calls.context import new_call_id
from glific_gpt.calls.execution import Outcome, error_outcome
from glific_gpt.calls.request import SYNC
from glific_gpt.errors import GlificGptError
from glific_gpt.organizations.store import is_slug
from glific_gpt.runtime import cpu_bound
from glific_gpt.settings import FALLBACK_MESSAGE

log = structlog.get_logger()


def respond(outcome: Outcome) -> Response:
    """Return the outcome of a call as a response."""
    encoded = cpu_bound.run(lambda: json.dumps(outcome.body), is_long=outcome.is_large)
    response = Response(encoded, outcome.status, mimetype="application/json")
    if outcome.retry_after is not None:
        response.headers["Retry-After"] = str(outcome.retry_after)
    if outcome.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"  # an answer belongs to one contact
    return response


def respond_with_error(error: GlificGptError) -> Response:
    """Answer a caller that is not authenticated. The response reveals nothing about any organization."""
    call_id = new_call_id()
    count_refused(str((request.view_args or {}).get("function")), read_mode(request.query_string), error)
    # The name in the address, if it is a possible name. Nothing is looked up.
    slug = str((request.view_args or {}).get("slug"))
    addressed = slug if is_slug(slug) else None
    log.info("call_refused", organization=addressed, call_id=call_id, http_status=error.status, error_code=error.code)
    return respond(error_outcome(call_id, error, FALLBACK_MESSAGE))


def respond_to_http_error(error: HTTPException) -> Response:
    """Answer a request that Flask itself refuses below /webhooks."""
    if isinstance(error, MethodNotAllowed):
        response = respond_with_error(errors.MethodNotAllowed())
        response.headers["Allow"] = "POST"
        return response
    by_status = {404: errors.UnknownFunction, 413: errors.BodyTooLarge}
    return respond_with_error(by_status.get(error.code or 0, errors.InvalidJson)())


def read_mode(query: bytes) -> str:
    """Return the first `mode` of a query, decoded; `sync` if there is none.

    An encoded name (`m%6fde`) is the same name.
    """
    # latin-1 accepts every byte. No valid mode has a character of which UTF-8 would make another one.
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return next((value for name, value in pairs if name == "mode"), SYNC)
