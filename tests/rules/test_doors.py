"""Every way in belongs to a door, and every door has a lock that is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from glific_gpt.app import DOORS
from tests.support.databases import copy_of
from tests.support.serving import organizations_of

LOCKED = {"webhooks", "api"}
"""Blueprints whose lock is a token."""

PAGES = {"console"}
"""Blueprints of which every page has a lock of its own (tests/console/test_locks.py)."""

OPEN = {"documents", "health", "front", "security"}
"""Blueprints that anybody may see; every new one has to be thought about."""

ARGUMENTS = {
    "slug": "alice",
    "function": "parse_via_chat_gpt",
    "provider": "open_ai",
    "token_id": 1,
    "call_id": "call_1",
}


@pytest.fixture(scope="module")
def app(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An app with the organization alice, so that there is something to be kept from."""
    with organizations_of(database_url=copy_of(sqlite_template, tmp_path_factory.mktemp("doors"))) as house:
        house.ngo("alice")
        yield house.app


def test_a_route_stands_in_a_door(app: Flask) -> None:
    doors = {door.blueprint.name for door in DOORS}
    assert doors == LOCKED | PAGES | OPEN
    strays = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] not in doors}
    assert strays == set()


def test_a_door_names_its_lock() -> None:
    for door in DOORS:
        assert door.lock
        assert door.lock.startswith("none: ") == (door.blueprint.name in OPEN)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \xe9"])
def test_a_locked_route_opens_for_nobody_without_a_token(app: Flask, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    statuses = {
        f"{method} {rule}": app.test_client().open(address(app, rule), method=method, headers=headers).status_code
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in LOCKED
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
