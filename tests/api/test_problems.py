"""Errors are problems (RFC 9457) without the values that were sent."""

import pytest

from tests.api.client import Client, assert_problem
from tests.support.apps import create_app
from tests.support.settings import create_settings


@pytest.mark.parametrize("path", ["/nothing", "/organizations/", "/organizations/alice/nothing"])
def test_an_unknown_address_is_not_found(administrator: Client, path: str) -> None:
    assert_problem(administrator.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PROPFIND"])
def test_an_unknown_method_is_refused_with_the_allowed_methods(administrator: Client, method: str) -> None:
    answer = administrator.send(method, "/organizations")
    assert_problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_an_unavailable_database_is_a_503() -> None:
    app = create_app(create_settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    answer = app.test_client().get("/api/v1/organizations", headers={"Authorization": "Bearer gga_any"})
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "1"
    assert (answer.get_json()["code"], "127.0.0.1" in answer.text) == ("overloaded", False)


def test_responses_are_not_cached(administrator: Client) -> None:
    assert administrator.get("/organizations").headers["Cache-Control"] == "no-store"
