"""What is said when no route fits, or something broke that nobody thought of: each door in its own language."""

import structlog
from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException

from glific_gpt import api, errors, webhooks
from glific_gpt.console import error_pages

log = structlog.get_logger()


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> Response:
    if _is_webhook(request):
        return webhooks.respond_to_http_error(error)
    if _is_page(request):
        return error_pages.render_http_error(error)
    return api.reply_to_http_error(error)


def _unexpected(error: Exception) -> Response:
    """The log gets the whole story, with secrets taken out; the caller gets one sentence."""
    log.exception("unexpected", path_of=request.endpoint, reason=type(error).__name__)
    if _is_webhook(request):
        return webhooks.respond_with_error(errors.UpstreamError(errors.MSG_INTERNAL_ERROR))
    if _is_page(request):
        return error_pages.render_unexpected_error()
    return api.problem_response(errors.InternalError())


def _is_webhook(inbound: Request) -> bool:
    return inbound.path.startswith("/webhooks/")


def _is_page(inbound: Request) -> bool:
    return inbound.path == "/" or inbound.path.startswith("/console")
