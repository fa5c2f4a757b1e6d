"""A running server with organizations in it, called over a socket as Glific calls it."""

import logging
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from flask import Flask
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server

from glific_gpt.app import create_app
from glific_gpt.calls import records
from glific_gpt.credentials import store as credentials
from glific_gpt.database import db, transaction
from glific_gpt.organizations import signature, webhook_tokens
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.services import Services, services
from glific_gpt.settings import Settings
from glific_gpt.views import CallView

PATIENCE = 20
"""Seconds that a test waits for an answer; how fast it came is the test's to judge."""

TLS = ssl.create_default_context()
"""Not needed for plain HTTP, but made anew for each call if there is none, and slow to make."""


@dataclass
class Ngo:
    """An organization, as its staff and its flows know it."""

    house: "House"
    slug: str
    token: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{self.house.url}/webhooks/{self.slug}/parse_via_chat_gpt"

    def ask(self, question: str = "What is ORS?", **body: Any) -> httpx2.Response:
        """Asks as a POST node does, with the token."""
        return self.post({"question_text": question, **body})

    def post(
        self, body: Any = None, *, content: bytes | None = None, headers: dict[str, str] | None = None, query: str = ""
    ) -> httpx2.Response:
        """Sends any body, with the token unless the headers say otherwise."""
        known = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        sent: dict[str, Any] = {"json": body} if content is None else {"content": content}
        return httpx2.post(self.url + query, headers=known, timeout=PATIENCE, verify=TLS, **sent)

    def change(self, **values: Any) -> None:
        with self.house.app.app_context(), transaction() as session:
            organizations.change(session, organizations.find(session, self.slug), OrganizationChanges(**values))

    def set_phrase(self, phrase: str) -> None:
        with self.house.app.app_context(), transaction() as session:
            signature.set_phrase(organizations.find(session, self.slug), phrase, self.house.services.vault)

    def set_key(self, key: str, *, is_active: bool = True) -> None:
        self.key = key
        with self.house.app.app_context():
            app = self.house.services
            values = {"api_key": SecretStr(key)}
            credentials.put(app.vault, self.slug, app.language_models, values, is_active=is_active, verify=False)

    def switch_key(self, *, on: bool) -> None:
        with self.house.app.app_context(), transaction() as session:
            organization = organizations.find(session, self.slug)
            credentials.find(session, organization.id, self.house.services.language_models).is_active = on

    def calls(self) -> list[dict[str, Any]]:
        """Its recorded calls, newest first."""
        with self.house.app.app_context(), transaction() as session:
            organization = organizations.find(session, self.slug)
            rows = records.page(session, organization.id)
        return [CallView.of(row).model_dump(mode="json") for row in rows]


@dataclass
class House:
    """The server."""

    app: Flask
    url: str

    @property
    def services(self) -> Services:
        with self.app.app_context():
            return services()

    def ngo(self, slug: str, key: str | None = None, **settings: Any) -> Ngo:
        """A new organization with a token, and a key of its own unless it is to have none ("")."""
        with self.app.app_context(), transaction() as session:
            organization = organizations.create(session, slug, slug.title())
            _, token = webhook_tokens.create(session, organization, "flow")
        ngo = Ngo(self, slug, token, "")
        if key != "":
            ngo.set_key(key or f"sk-proj-{slug}-0123456789-{slug[-4:]:x<4}")
        if settings:
            ngo.change(**settings)
        return ngo


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_args: Any, **_more: Any) -> None:
        """Says nothing: what the server logs itself is what tests look at."""


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """The app behind a real socket, in this process."""
    app = create_app(settings)
    root = logging.getLogger()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield House(app, f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        server.server_close()
        root.handlers = []
        with app.app_context():
            db.engine.dispose()
