"""The console: web pages for setting up organizations and viewing their calls."""

from flask import Flask

from glific_gpt.console import access, context, error_pages, redirects, security_headers, uploads, views
from glific_gpt.console.blueprint import blueprint, csrf, root
from glific_gpt.services import end_page

__all__ = ["blueprint", "init", "root", "views"]


def init(app: Flask) -> None:
    """Set up the console. Call this after all blueprints are registered.

    Raises LookupError if a page has no access level.
    """
    csrf.init_app(app)
    # First, because the second one reads the form: if the form has not arrived yet, the server calls the app again when
    # it has (`server/request_bodies.py`), and an attempt to sign in must not be counted twice.
    app.before_request_funcs.setdefault("security", [])[:0] = [
        uploads.limit_public_form,
        redirects.drop_foreign_targets,
        access.count_page_without_organization,
    ]
    app.teardown_request_funcs.setdefault("security", []).append(end_page)
    app.after_request_funcs.setdefault("security", []).append(security_headers.set_security_headers)
    context.init_language(app)
    context.init(app)
    error_pages.init(app)
    access.require_access_levels(app)
