"""Libraries register hooks for every request of an app. Webhooks must not run those for signing in."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from glific_gpt.app import create_app
from tests.support.settings import create_settings

NO_COST = {"flask_wtf.csrf"}
"""Its hook returns at once, since WTF_CSRF_CHECK_DEFAULT is off."""


@pytest.fixture
def app(tmp_path: Any) -> Flask:
    return create_app(create_settings(database_url=f"sqlite:///{tmp_path}/unused.db"), commands=False)


def modules(app: Flask) -> Iterator[str]:
    """The modules of the hooks that run for every request, whatever its blueprint."""
    kinds: tuple[dict[Any, list[Any]], ...] = (
        app.url_value_preprocessors,
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
    )
    for hooks in kinds:
        yield from map(module, hooks.get(None, []))


def module(hook: Callable[..., Any]) -> str:
    while isinstance(hook, functools.partial):
        hook = hook.func
    return hook.__module__


def test_no_library_has_a_hook_that_runs_for_webhooks(app: Flask) -> None:
    found = {name for name in modules(app) if not name.startswith("glific_gpt.")} - NO_COST
    assert not found, f"Hooks of {', '.join(sorted(found))} run for every request, also for webhooks."


def test_a_hook_of_a_library_is_found(app: Flask) -> None:
    app.after_request(functools.partial(lambda _self, response: response, None))
    assert __name__ in set(modules(app))
