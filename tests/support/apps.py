"""Apps for tests, created by the product's factory in a fifth of the time."""

import copy
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from typing import Any
from unittest import mock

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Map, Rule, RuleFactory

from glific_gpt import app as factory
from glific_gpt.accounts.sign_in import security
from glific_gpt.database import db
from glific_gpt.functions import registry
from glific_gpt.settings import Settings

CHEAP_PASSWORDS: Mapping[str, int] = {"memory_cost": 8, "time_cost": 1, "parallelism": 1}
"""The minimum of Argon2. With the production parameters, setting or checking a password takes 30 ms."""
REAL_PASSWORDS: Mapping[str, int] = security.ARGON2


def create_app(settings: Settings, *, passwords: Mapping[str, int] = CHEAP_PASSWORDS) -> Flask:
    """Create an app with the product's `create_app`."""
    with (
        mock.patch.object(security, "ARGON2", passwords),
        mock.patch.object(Flask, "url_map_class", _SharedMap),
        mock.patch.object(registry, "entry_points", lambda group: _installed_entry_points(group, tuple(sys.path))),
    ):
        app = factory.create_app(settings)
    app.jinja_env.bytecode_cache = _templates
    _share_compiled_statements(app)
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


def _share_compiled_statements(app: Flask) -> None:
    """Let the apps of this process share compiled SQL. SQLAlchemy compiles each statement again for each engine."""
    with app.app_context():
        for engine in db.engines.values():
            engine._compiled_cache = _statements


_statements: LRUCache[Any, Any] = LRUCache(5000)

# The keys of compiled statements contain the dialect of the engine. Those of all apps have the same options, except for
# the style of parameters.
for _dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
    setattr(_dialect, "__eq__", lambda one, other: (type(one), one.paramstyle) == (type(other), other.paramstyle))  # noqa: B010 - mypy
    setattr(_dialect, "__hash__", lambda one: hash((type(one), one.paramstyle)))  # noqa: B010 - mypy


_MAP_OPTIONS = ("default_subdomain", "strict_slashes", "merge_slashes", "redirect_defaults", "host_matching")


class _SharedMap(Map):
    """The URL map of an app. Apps with equal routes share the compiled ones.

    Compiling the routes is half of the time to create an app, and all apps of this process have the same.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._added: list[Rule] = []

    def add(self, rulefactory: RuleFactory) -> None:
        """Add routes. They are compiled when the app uses its first route."""
        self._added.extend(rulefactory.get_rules(self))
        self._remap = True

    def update(self) -> None:
        if not self._remap:
            return
        with self._remap_lock:
            options = tuple((name, getattr(self, name)) for name in _MAP_OPTIONS)
            compiled = _compile_routes(options, tuple(map(_Route, self._added)))
            self._matcher, self._rules_by_endpoint = compiled._matcher, compiled._rules_by_endpoint
            self._remap = False


class _Route:
    """A route that equals another one with the same attributes."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._values = {name: value for name, value in vars(rule).items() if name != "map"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Route) and self._values == other._values

    def __hash__(self) -> int:
        return hash((self.rule.rule, self.rule.endpoint))


@cache
def _compile_routes(options: tuple[tuple[str, Any], ...], routes: tuple[_Route, ...]) -> Map:
    """Return a map with copies of these routes."""
    compiled = Map(**dict(options))
    for route in routes:
        compiled.add(copy.deepcopy(route.rule))
    compiled.update()
    return compiled
