"""tests.support.apps: apps for tests behave like those of the product's factory, although they share compiled parts."""

from flask import Flask

from glific_gpt import app as factory
from glific_gpt.database import db
from tests.support.apps import create_app
from tests.support.settings import create_settings


def routes(app: Flask) -> list[tuple[object, ...]]:
    rules = app.url_map.iter_rules()
    return sorted((rule.rule, rule.endpoint, *sorted(rule.methods or ()), rule.merge_slashes) for rule in rules)


def test_an_app_has_the_routes_of_the_product(database_url: str) -> None:
    settings = create_settings(database_url=database_url)
    assert routes(create_app(settings)) == routes(factory.create_app(settings))


def test_a_further_route_belongs_to_one_app_only(database_url: str) -> None:
    one, other = (create_app(create_settings(database_url=database_url)) for _ in range(2))
    before = one.test_client().get("/further").status_code
    one._got_first_request = False
    one.add_url_rule("/further", "further", lambda: "here")
    assert before == 404
    assert one.test_client().get("/further").text == "here"
    assert other.test_client().get("/further").status_code == 404


def test_apps_share_compiled_statements_of_the_same_database_only(database_url: str) -> None:
    apps = [
        create_app(create_settings(database_url=url))
        for url in (database_url, database_url, "postgresql+psycopg://host/name")
    ]
    dialects = []
    for app in apps:
        with app.app_context():
            dialects.append(db.engine.dialect)
    assert dialects[0] == dialects[1] != dialects[2]
