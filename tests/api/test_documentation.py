"""The OpenAPI document and its page."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from glific_gpt.functions.registry import find_built_in
from tests.support import http
from tests.support.server import RunningServer, TestOrganization

FUNCTIONS = {function.name for function in find_built_in()}
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
def document(server: RunningServer) -> dict[str, Any]:
    answer = http.get(f"{server.url}/api/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def _operations(document: dict[str, Any], beginning: str = "/api/") -> list[dict[str, Any]]:
    paths = [path for name, path in document["paths"].items() if name.startswith(beginning)]
    return [operation for path in paths for operation in path.values()]


def _references(part: Any) -> Iterator[str]:
    """Yield every `$ref` in a part of the document."""
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _resolve(document: Any, reference: str) -> Any:
    """Return the part that a JSON pointer names (RFC 6901). Raises LookupError."""
    base, *steps = reference.split("/")
    if base != "#":
        raise LookupError(f"{reference} is outside the document")
    for step in steps:
        name = step.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def test_every_reference_leads_to_a_part_of_the_document(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert "#/components/schemas/Problem" in references
    for reference in references:
        assert _resolve(document, reference), reference


def test_a_page_of_calls_describes_each_call(document: dict[str, Any]) -> None:
    spec = document["paths"]["/api/v1/organizations/{slug}/calls"]["get"]["responses"]["200"]
    schema = spec["content"]["application/json"]["schema"]
    assert schema["type"] == "array"
    assert {"call_id", "at", "status", "error_code"} <= schema["items"]["properties"].keys()


def test_it_describes_exactly_the_routes_that_exist(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    functions = {f"/webhooks/{{slug}}/{name}": {"post"} for name in FUNCTIONS}
    assert {path: set(methods) for path, methods in document["paths"].items()} == ROUTES | functions


def test_it_describes_each_function_of_the_webhook(document: dict[str, Any]) -> None:
    operation = document["paths"]["/webhooks/{slug}/parse_via_gpt_vision"]["post"]
    assert operation["summary"] == "Question about a picture"
    assert operation["description"].startswith("Looks at a picture")
    assert operation["security"] == [{"webhook_token": []}, {"glific_signature": []}]
    content = operation["requestBody"]["content"]["application/json"]
    assert content["schema"]["required"] == ["url"]
    assert content["schema"]["properties"]["url"] == {
        "type": "string",
        "description": "Address of the picture, which begins with https://.",
    }
    assert content["schema"]["properties"]["max_tokens"]["maximum"] == 1_000_000
    assert set(content["example"]) <= content["schema"]["properties"].keys()
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"][0]
    assert {"parsed_msg", "response"} <= answer["properties"].keys()


def test_every_field_of_a_function_has_a_description(document: dict[str, Any]) -> None:
    for operation in _operations(document, "/webhooks/"):
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        undescribed = [name for name, field in schema["properties"].items() if not field.get("description")]
        assert (operation["operationId"], undescribed) == (operation["operationId"], [])


def test_a_described_call_is_answered(document: dict[str, Any], alice: TestOrganization) -> None:
    for operation in _operations(document, "/webhooks/"):
        url = alice.url_of(operation["operationId"])
        content = operation["requestBody"]["content"]["application/json"]
        reply = http.post(url, json=content["example"], headers={"Authorization": f"Bearer {alice.token}"})
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"][0]
        assert reply.status_code == 200, reply.text
        assert set(answer["required"]) <= reply.json().keys()
        assert {name for name in answer["properties"] if name in {"response", "message"}} <= reply.json().keys()


def test_an_error_of_the_webhook_has_the_described_keys(document: dict[str, Any], alice: TestOrganization) -> None:
    schema = document["components"]["schemas"]["WebhookError"]
    body = alice.ask("").json()
    assert body.keys() == schema["properties"].keys()
    assert body["error_code"] in schema["properties"]["error_code"]["enum"]


def test_every_route_requires_a_token(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        assert operation["security"] == [{"api_token": []}]
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    assert document["components"]["securitySchemes"]["api_token"]["scheme"] == "bearer"


def test_a_verified_object_can_return_502(document: dict[str, Any]) -> None:
    for path in ("credentials/{provider}", "glific"):
        responses = document["paths"][f"/api/v1/organizations/{{slug}}/{path}"]["put"]["responses"]
        assert {"422", "502"} <= responses.keys()


def test_every_described_error_is_a_problem(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        errors = {status: spec["content"] for status, spec in operation["responses"].items() if status >= "400"}
        assert errors == dict.fromkeys(errors, PROBLEM)
    assert "ValidationErrorModel" not in document["components"]["schemas"]


def test_changes_have_no_defaults_that_a_client_might_send(document: dict[str, Any]) -> None:
    settings = document["components"]["schemas"]["OrganizationChanges"]["properties"]
    assert settings.keys() >= {"name", "is_active", "require_signature"}
    assert [name for name, setting in settings.items() if "default" in setting] == []


def test_every_route_has_an_operation_id_and_a_summary(document: dict[str, Any]) -> None:
    operations = _operations(document, "/")
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


def test_the_page_loads_only_files_of_this_server(server: RunningServer) -> None:
    page = http.get(f"{server.url}/api/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "//" not in page.text
    assert re.findall(r"<script>|<style>| on\w+=| style=", page.text) == []
    loaded = re.findall(r'(?:src|href)="([^":]+)"', page.text)
    assert len(loaded) == 4
    for name in loaded:
        assert http.get(str(page.url.join(name))).status_code == 200


def test_the_content_security_policy_allows_only_this_server(server: RunningServer) -> None:
    for path in ("docs", "docs/docs.js", "docs/swagger-ui.css", "openapi.json"):
        headers = http.get(f"{server.url}/api/{path}").headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["documents.py", "..%2Fdocuments.py", "docs.html", "%00"])
def test_no_other_file_can_be_loaded(server: RunningServer, name: str) -> None:
    assert http.get(f"{server.url}/api/docs/{name}").status_code == 404
