"""What a page says when something went wrong: one sentence, and the way back."""

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_security.core import AnonymousUser
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from glific_gpt import errors
from glific_gpt.console import security_headers
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters.labels import sentence
from glific_gpt.database import UNAVAILABLE

log = structlog.get_logger()


def init(app: Flask) -> None:
    for door in (blueprint.name, "security"):
        handlers = app.error_handler_spec[door][None]
        handlers[errors.GlificGptError] = _known
        handlers.update(dict.fromkeys(UNAVAILABLE, _unavailable))


def reply_to_http_error(error: HTTPException) -> Response:
    """For an address that is no page, and for what the server itself refuses."""
    _ask_nothing()
    if isinstance(error, CSRFError):
        return page(
            400,
            _("Page expired"),
            _("The page was open for too long. Nothing was changed. Open it again and repeat the step."),
        )
    if error.code == 404:
        return page(404, _("Page not found"), _("Check the address, or ask the person who gave it to you."))
    if error.code in (405, 415):
        title = _("Page not found") if error.code == 405 else _("Request failed")
        return page(error.code, title, _("This address accepts only forms that the console sends."))
    return page(error.code or 500, _("Request failed"), _("Go back and try again."))


def reply_to_unexpected() -> Response:
    _ask_nothing()
    return page(
        500,
        _("Server error"),
        _(
            "An unexpected error occurred. Try again. If it happens again, tell an administrator of this "
            "server, who can find the reason in the server's log."
        ),
    )


def page(status: int, title: str, sentence: str) -> Response:
    """A page that needs nothing but itself."""
    response = make_response(render_template("console/problem.html", title=title, sentence=sentence), status)
    return security_headers.protect(response)


def _ask_nothing() -> None:
    """Whoever is not known by now stays unknown: the database that knows may be what failed."""
    if "_login_user" not in g:  # where Flask-Login keeps who was found
        g._login_user = AnonymousUser()  # type: ignore[no-untyped-call] # it ships no types


def _known(error: errors.GlificGptError) -> Response:
    if isinstance(error, errors.NotFound):
        return page(404, _("Page not found"), _("Check the address, or ask the person who gave it to you."))
    return page(error.status, _("Request failed"), sentence(error))


def _unavailable(failure: Exception) -> Response:
    _ask_nothing()
    log.error("database_unavailable", path_of=request.endpoint, reason=type(failure).__name__)
    return page(503, _("The server is busy"), _("The server cannot reach its database. Try again in a moment."))
