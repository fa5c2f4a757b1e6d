"""Apps for tests, created by the product's factory in a fifth of the time."""

import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any
from unittest import mock

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from glific_gpt import app as factory
from glific_gpt.accounts.sign_in import security
from glific_gpt.functions import registry
from glific_gpt.settings import Settings

CHEAP_PASSWORDS: Mapping[str, int] = {"memory_cost": 8, "time_cost": 1, "parallelism": 1}
"""The minimum of Argon2. With the production parameters, setting or checking a password takes 30 ms."""
REAL_PASSWORDS: Mapping[str, int] = security.ARGON2


def create_app(settings: Settings, *, passwords: Mapping[str, int] = CHEAP_PASSWORDS) -> Flask:
    """Create an app with the product's `create_app`."""
    with (
        mock.patch.object(security, "ARGON2", passwords),
        mock.patch.object(Rule, "_compile_builder", _compile_builder_late),
        mock.patch.object(registry, "entry_points", lambda group: _installed_entry_points(group, tuple(sys.path))),
    ):
        app = factory.create_app(settings)
    app.jinja_env.bytecode_cache = _templates
    return app


@cache
def _installed_entry_points(group: str, _path: tuple[str, ...]) -> EntryPoints:
    """Read the installed packages once. This takes a third of the time to create an app."""
    return entry_points(group=group)


class _CompiledTemplates(BytecodeCache):
    """Cache of compiled Jinja templates, shared by all apps of this process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


_templates = _CompiledTemplates()

_compile_builder = Rule._compile_builder


def _compile_builder_late(rule: Rule, append_unknown: bool = True) -> Any:
    """Compile the URL builder of a route on its first call.

    Compiling all of them is half of the time to create an app, and a test uses few of its hundred routes.
    """
    built: list[Any] = []

    def build(self: Rule, *arguments: Any, **values: Any) -> Any:
        if not built:
            built.append(_compile_builder(rule, append_unknown))
        return built[0](self, *arguments, **values)

    return build
