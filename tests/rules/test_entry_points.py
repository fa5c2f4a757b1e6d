"""Every route belongs to an entry point, and every entry point names its authentication."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from glific_gpt.app import ENTRY_POINTS
from tests.support.databases import copy_template
from tests.support.serving import open_database

TOKEN_AUTHENTICATED = {"webhooks", "api", "monitoring"}
"""Blueprints that authenticate by token."""

PAGES = {"console"}
"""Blueprints that check the access of each page (tests/console/test_access.py)."""

PUBLIC = {"documents", "health", "root", "security"}
"""Public blueprints. Think before you add one."""

ARGUMENTS = {
    "slug": "alice",
    "function": "parse_via_chat_gpt",
    "provider": "open_ai",
    "token_id": 1,
    "call_id": "call_1",
}


@pytest.fixture(scope="module")
def app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with the organization alice, so that there is something to protect."""
    url = copy_template(sqlite_template, tmp_path_factory.mktemp("doors"))
    with open_database(database_url=url, metrics_token="made-up-for-tests") as server:
        server.add_organization("alice")
        yield server.app


def test_every_route_belongs_to_an_entry_point(app: Flask) -> None:
    names = {entry_point.blueprint.name for entry_point in ENTRY_POINTS}
    assert names == TOKEN_AUTHENTICATED | PAGES | PUBLIC
    strays = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] not in names}
    assert strays == set()


def test_every_entry_point_names_its_authentication() -> None:
    for entry_point in ENTRY_POINTS:
        assert entry_point.auth
        assert entry_point.auth.startswith("none: ") == (entry_point.blueprint.name in PUBLIC)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \xe9"])
def test_a_token_authenticated_route_refuses_requests_without_a_valid_token(
    app: Flask, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    statuses = {
        f"{method} {rule}": app.test_client().open(address(app, rule), method=method, headers=headers).status_code
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in TOKEN_AUTHENTICATED
        for method in methods(rule)
    }
    assert len(statuses) > 10
    assert set(statuses.values()) == {401}, statuses


def methods(rule: Rule) -> set[str]:
    # OPTIONS is answered by Flask with the names of the methods.
    return (rule.methods or set()) - {"OPTIONS", "HEAD"}


def address(app: Flask, rule: Rule) -> str:
    arguments = {name: ARGUMENTS[name] for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, arguments, method=next(iter(methods(rule))))
