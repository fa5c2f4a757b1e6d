"""A client of the JSON API over a socket, and an assertion about its errors."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from tests.support import http
from tests.support.server import TIMEOUT_SECONDS, RunningServer

API = "/api/v1"


@dataclass
class Client:
    """A client with one API token."""

    base: str
    token: str = field(repr=False)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        """Send a request with an optional JSON body, and with the token unless the headers replace it."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return http.request(method, self.base + path, headers=headers, timeout=TIMEOUT_SECONDS, **more)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.send("PUT", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.send("PATCH", path, body, **more)

    def delete(self, path: str) -> httpx2.Response:
        return self.send("DELETE", path)


def client_of(server: RunningServer, slug: str | None = None) -> Client:
    """Return a client with a new token of an administrator, or of that organization."""
    with server.app.app_context(), transaction() as session:
        organization = organizations.find(session, slug) if slug else None
        _, token = tokens.create_api_token(session, "test", organization)
    return Client(server.url + API, token)


def assert_problem(response: httpx2.Response, status: int, code: str, about: str = "") -> None:
    """Assert that the response is this problem, with `about` in its text."""
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert about in body["detail"]
    assert body.keys() == {"type", "title", "status", "detail", "code"}
