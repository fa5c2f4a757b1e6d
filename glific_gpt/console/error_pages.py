"""Error pages: one sentence, and a link to the start page."""

from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_security.core import AnonymousUser
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from glific_gpt import errors
from glific_gpt.console import security_headers
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.console.redirects import page_of_form
from glific_gpt.database import UNAVAILABLE, failures


def init(app: Flask) -> None:
    """Register the error handlers of the console and of the sign-in pages."""
    for blueprint_name in (blueprint.name, "security"):
        # Not by the decorator: Flask-Security's blueprint is registered by now, and Flask refuses changes to it.
        handlers = app.error_handler_spec[blueprint_name][None]
        handlers[errors.GlificGptError] = _render_application_error
        handlers.update(dict.fromkeys(UNAVAILABLE, _render_database_unavailable))


def render_http_error(error: HTTPException) -> Response:
    """Render the page for an unknown address or a request that Flask refused."""
    _skip_user_lookup()
    if isinstance(error, CSRFError):
        return render_error_page(
            400,
            _("Page expired"),
            _(
                "This page was open for too long, or you have signed in again since. Nothing was changed. Open the "
                "page again and repeat the step."
            ),
            # drafts.js puts back there what was typed.
            back=page_of_form(request.headers.get("Referer", "")),
        )
    if error.code == 404:
        return _render_not_found()
    if error.code == 413:
        return render_error_page(413, _("Request failed"), _("This form or file is too large. Send less at once."))
    if error.code in (405, 415):
        title = _("Page not found") if error.code == 405 else _("Request failed")
        return render_error_page(error.code, title, _("This address accepts only forms that the console sends."))
    return render_error_page(error.code or 500, _("Request failed"), _("Go back and try again."))


def render_unexpected_error() -> Response:
    """Render the page for an exception that nothing handled."""
    _skip_user_lookup()
    return render_error_page(
        500,
        _("Server error"),
        _(
            "An unexpected error occurred. Try again. If it happens again, tell an administrator of this "
            "server, who can find the reason in the server's log."
        ),
    )


def render_error_page(status: int, title: str, text: str, back: str | None = None) -> Response:
    """Render an error page, with a link to the page `back`. It needs no database and no user."""
    response = make_response(render_template("console/error.html", title=title, text=text, back=back), status)
    return security_headers.set_security_headers(response)


def _render_not_found() -> Response:
    return render_error_page(404, _("Page not found"), _("Check the address, or ask the person who gave it to you."))


def _skip_user_lookup() -> None:
    """Treat the user as anonymous if not loaded yet, because loading needs the database, which may have failed."""
    if "_login_user" not in g:  # the place where Flask-Login caches the user of a request
        g._login_user = AnonymousUser()  # type: ignore[no-untyped-call] # it ships no types


def _render_application_error(error: errors.GlificGptError) -> Response:
    if isinstance(error, errors.NotFound):
        return _render_not_found()
    return render_error_page(error.status, _("Request failed"), translate_error(error))


def _render_database_unavailable(failure: SQLAlchemyError) -> Response:
    _skip_user_lookup()
    failures.log_failure(failure, endpoint=request.endpoint)
    text = _("The server cannot reach its database. Try again in a moment.")
    return render_error_page(503, _("The server is busy"), text)
