"""Fallback error handlers, in each entry point's response format."""

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from glific_gpt import api, errors, webhooks
from glific_gpt.console import error_pages
from glific_gpt.webhooks import paths

log = structlog.get_logger()


def register(app: Flask) -> None:
    # Flask itself answers with an HTML page, which neither Glific nor a client of the JSON API can read.
    app.register_error_handler(HTTPException, _handle_http_error)
    app.register_error_handler(Exception, _handle_unexpected_error)


def _handle_http_error(error: HTTPException) -> Response:
    if paths.is_webhook(request.path):
        return webhooks.respond_to_http_error(error)
    if _is_page():
        return error_pages.render_http_error(error)
    return api.respond_to_http_error(error)


def _handle_unexpected_error(error: Exception) -> Response:
    """Log the traceback, without secrets, and answer with a general message."""
    log.exception("request_failed", endpoint=request.endpoint, reason=type(error).__name__)
    if paths.is_webhook(request.path):
        return webhooks.respond_with_error(errors.UpstreamError(errors.MSG_INTERNAL_ERROR))
    if _is_page():
        return error_pages.render_unexpected_error()
    return api.problem_response(errors.InternalError())


def _is_page() -> bool:
    return request.path == "/" or request.path.startswith("/console")
