"""The console: pages on which people set organizations up, and see how their calls went."""

from flask import Flask

from glific_gpt.console import context, headers, language, lock, pages, problems
from glific_gpt.console.blueprint import blueprint, csrf
from glific_gpt.console.front import front

__all__ = ["blueprint", "front", "init", "pages"]


def init(app: Flask) -> None:
    """Once all doors are there. Raises LookupError for a page without a lock."""
    csrf.init_app(app)
    app.after_request_funcs.setdefault("security", []).append(headers.protect)
    language.init(app)
    context.init(app)
    problems.init(app)
    lock.require_locks(app)
