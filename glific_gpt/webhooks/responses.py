"""How an outcome is said to Glific: one JSON object, whatever happened."""

import structlog
from flask import Response, json
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from glific_gpt import errors
from glific_gpt.calls.context import new_call_id
from glific_gpt.calls.execution import Outcome, error_outcome
from glific_gpt.errors import GlificGptError
from glific_gpt.settings import FALLBACK_MESSAGE

log = structlog.get_logger()


def reply(outcome: Outcome) -> Response:
    response = Response(json.dumps(outcome.body), outcome.status, mimetype="application/json")
    if outcome.retry_after is not None:
        response.headers["Retry-After"] = str(outcome.retry_after)
    if outcome.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"
    return response


def reply_to_stranger(error: GlificGptError) -> Response:
    """For callers who were not let in, or not yet: it says nothing of any organization."""
    call_id = new_call_id()
    log.info("refused", call_id=call_id, status=error.status, error_code=error.code)
    return reply(error_outcome(call_id, error, FALLBACK_MESSAGE))


def reply_to_http_error(error: HTTPException) -> Response:
    """For what Flask itself refuses on an address of a webhook."""
    if isinstance(error, MethodNotAllowed):
        response = reply_to_stranger(errors.MethodNotAllowed())
        response.headers["Allow"] = "POST"
        return response
    known = {404: errors.UnknownFunction, 413: errors.BodyTooLarge}
    return reply_to_stranger(known.get(error.code or 0, errors.InvalidJson)())
