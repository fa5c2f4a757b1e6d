"""The console: pages on which people set organizations up, and see how their calls went."""

from flask import Flask

from glific_gpt.console import access, context, problems, security_headers, views
from glific_gpt.console.blueprint import blueprint, csrf, front

__all__ = ["blueprint", "front", "init", "views"]


def init(app: Flask) -> None:
    """Once all doors are there. Raises LookupError for a page without a lock."""
    csrf.init_app(app)
    app.after_request_funcs.setdefault("security", []).append(security_headers.protect)
    context.init_language(app)
    context.init(app)
    problems.init(app)
    access.require_locks(app)
