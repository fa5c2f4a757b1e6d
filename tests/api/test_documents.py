"""The API's description and its page."""

import re
from typing import Any

import httpx2
import pytest

from tests.support.house import House

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ROUTES = {
    "/api/v1/organizations": {"get", "post"},
    "/api/v1/organizations/{slug}": {"get", "patch"},
    "/api/v1/organizations/{slug}/credentials/{provider}": {"get", "put", "patch", "delete"},
    "/api/v1/organizations/{slug}/glific": {"get", "put", "delete"},
    "/api/v1/organizations/{slug}/tokens": {"get", "post"},
    "/api/v1/organizations/{slug}/tokens/{token_id}": {"delete"},
    "/api/v1/organizations/{slug}/models": {"get"},
    "/api/v1/organizations/{slug}/calls": {"get"},
    "/api/v1/organizations/{slug}/calls/{call_id}": {"get"},
    "/api/v1/organizations/{slug}/calls/{call_id}/retry": {"post"},
}


@pytest.fixture
def document(house: House) -> dict[str, Any]:
    answer = httpx2.get(f"{house.url}/api/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_it_describes_every_route_and_no_other(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {path: set(methods) for path, methods in document["paths"].items()} == ROUTES


def test_every_route_says_that_it_wants_a_token(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        assert operation["security"] == [{"api_token": []}]
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    assert document["components"]["securitySchemes"]["api_token"]["scheme"] == "bearer"


def test_every_error_that_is_described_is_a_problem(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        errors = {status: said["content"] for status, said in operation["responses"].items() if status >= "400"}
        assert errors == dict.fromkeys(errors, PROBLEM)
    assert "ValidationErrorModel" not in document["components"]["schemas"]


def test_a_change_promises_no_default_that_a_client_might_send(document: dict[str, Any]) -> None:
    settings = document["components"]["schemas"]["OrganizationChanges"]["properties"]
    assert settings.keys() >= {"name", "is_active", "require_signature"}
    assert [name for name, setting in settings.items() if "default" in setting] == []


def test_every_route_has_a_name_and_a_summary(document: dict[str, Any]) -> None:
    operations = _operations(document)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


def test_the_page_loads_nothing_but_what_this_server_has(house: House) -> None:
    page = httpx2.get(f"{house.url}/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "//" not in page.text
    assert re.findall(r"<script>|<style>| on\w+=| style=", page.text) == []
    loaded = re.findall(r'(?:src|href)="([^":]+)"', page.text)
    assert len(loaded) == 4
    for name in loaded:
        assert httpx2.get(str(page.url.join(name))).status_code == 200


def test_the_pages_browser_is_told_to_run_nothing_from_elsewhere(house: House) -> None:
    for path in ("docs", "docs/docs.js", "docs/swagger-ui.css", "openapi.json"):
        headers = httpx2.get(f"{house.url}/api/{path}").headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["documents.py", "..%2Fdocuments.py", "docs.html", "%00"])
def test_the_page_has_no_other_files(house: House, name: str) -> None:
    assert httpx2.get(f"{house.url}/api/docs/{name}").status_code == 404
