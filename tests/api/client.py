"""A program that uses the JSON API over a socket, and what it expects of a problem."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations import tokens
from tests.support.house import PATIENCE, House

API = "/api/v1"


@dataclass
class Client:
    """Holds one API token."""

    base: str
    token: str = field(repr=False)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        """Sends a JSON body where one is given, with the token unless the headers say otherwise."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return httpx2.request(method, self.base + path, headers=headers, timeout=PATIENCE, **more)

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


def client_of(house: House, slug: str | None = None) -> Client:
    """With a new token: an administrator's, or that organization's."""
    with house.app.app_context(), transaction() as session:
        organization = organizations.find(session, slug) if slug else None
        _, token = tokens.create_api_token(session, "test", organization)
    return Client(house.url + API, token)


def assert_problem(answer: httpx2.Response, status: int, code: str, about: str = "") -> None:
    """That it is a problem of this kind, whose sentence speaks of that."""
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert about in body["detail"]
    assert body.keys() == {"type", "title", "status", "detail", "code"}
