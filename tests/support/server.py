"""A running server with organizations, called over a socket like Glific calls it."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from flask import Flask
from pydantic import SecretStr

from glific_gpt.calls import queries
from glific_gpt.calls.tables import Delivery
from glific_gpt.database import db, reading, transaction
from glific_gpt.metrics import recording
from glific_gpt.operations import worker
from glific_gpt.organizations import server_models, signature, tokens
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.changes import OrganizationChanges
from glific_gpt.organizations.connections import connecting
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.schemas import CallView
from glific_gpt.services import Services, services
from glific_gpt.settings import Settings
from tests.support import http
from tests.support.apps import CHEAP_PASSWORDS, create_app
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.serving_in_process import serve

TIMEOUT_SECONDS = 20
"""Time to wait for a reply. A test that needs a faster reply asserts its duration."""


def growing_pauses() -> Iterator[float]:
    """Yield the seconds between the checks of a condition.

    They grow, because frequent checks of a database take the CPU time of the processes that a test waits for.
    """
    pause = 0.01
    while True:
        yield pause
        pause = min(0.2, 1.2 * pause)


@dataclass
class TestOrganization:
    """An organization with the token of its flows, the key of its OpenAI account, and actions of its staff."""

    __test__ = False  # its name looks like a class of tests to pytest

    server: "RunningServer"
    slug: str
    token: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{self.server.url}/webhooks/{self.slug}/parse_via_chat_gpt"

    def ask(self, question: str = "What is ORS?", **body: Any) -> httpx2.Response:
        """Call the webhook with the token, like a POST node of a flow."""
        return self.post({"question_text": question, **body})

    def url_of(self, function: str) -> str:
        return self.url.replace("parse_via_chat_gpt", function)

    def post(
        self,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: str = "",
        function: str = "parse_via_chat_gpt",
    ) -> httpx2.Response:
        """Send any body, with the token unless `headers` has another Authorization."""
        all_headers = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        payload: dict[str, Any] = {"json": body} if content is None else {"content": content}
        return http.post(self.url_of(function) + query, headers=all_headers, timeout=TIMEOUT_SECONDS, **payload)

    def change(self, **values: Any) -> None:
        with self.server.app.app_context(), transaction() as session:
            organizations.update(session, organizations.find(session, self.slug), OrganizationChanges(**values))

    def set_phrase(self, phrase: str) -> None:
        with self.server.app.app_context(), transaction() as session:
            signature.set_phrase(session, organizations.find(session, self.slug), phrase, self.server.services.vault)

    def set_key(self, key: str, *, is_active: bool = True, base_url: str | None = None) -> None:
        self.key = key
        with self.server.app.app_context():
            app = self.server.services
            values = {"api_key": SecretStr(key)}
            credentials.save_credential(
                app.vault,
                self.slug,
                app.model_provider,
                values,
                is_active=is_active,
                verify=False,
                base_url=base_url,
            )

    def connect(self, glific: GlificStandIn) -> None:
        """Connect the organization to Glific by the documented API."""
        with self.server.app.app_context():
            app = self.server.services
            connecting.connect_by_api(
                app.vault,
                app.glific,
                self.slug,
                api_url=glific.url,
                phone=PHONE,
                password=SecretStr(PASSWORD),
                verify=False,
            )

    def connect_signed(self, glific: GlificStandIn, phrase: str) -> None:
        """Connect the organization to Glific by signed calls."""
        self.set_phrase(phrase)
        with self.server.app.app_context():
            app = self.server.services
            connecting.connect_by_signed_call(app.vault, app.glific, self.slug, api_url=glific.url, verify=False)

    def ask_deferred(
        self,
        mode: str = "async",
        *,
        contact: int = 21,
        headers: dict[str, str] | None = None,
        function: str = "parse_via_chat_gpt",
        **body: Any,
    ) -> httpx2.Response:
        """Call the webhook like a POST node of a flow that waits for the result."""
        from_glific = {"contact": {"id": contact, "name": "Asha"}, "flow_id": "5", "organization_id": 17}
        defaults = {"question_text": "What is ORS?"} | from_glific
        return self.post(defaults | body, headers=headers, query=f"?mode={mode}", function=function)

    def delivery(self, call_id: str) -> Delivery:
        """Return the delivery of a deferred call. It is read beside the one connection that writes to SQLite."""
        with self.server.app.app_context(), reading() as session:
            return session.get_one(Delivery, call_id)

    def wait_for_delivery(self, call_id: str, seconds: float = TIMEOUT_SECONDS) -> Delivery:
        """Wait until the delivery has ended, and return it."""
        until = time.monotonic() + seconds
        pauses = growing_pauses()
        while time.monotonic() < until:
            if (row := self.delivery(call_id)).state != "waiting":
                return row
            time.sleep(next(pauses))
        raise AssertionError(f"The delivery still waits after {seconds} s.")

    def switch_key(self, *, on: bool) -> None:
        with self.server.app.app_context(), transaction() as session:
            organization = organizations.find(session, self.slug)
            credentials.set_active(session, organization.id, self.server.services.model_provider, is_active=on)

    def calls(self) -> list[dict[str, Any]]:
        """Return the recorded calls, newest first."""
        with self.server.app.app_context(), transaction() as session:
            organization = organizations.find(session, self.slug)
            rows = queries.list_calls(session, organization.id)
        return [CallView.of(row).model_dump(mode="json") for row in rows]


@dataclass
class RunningServer:
    """A server in this process."""

    app: Flask
    url: str

    @property
    def services(self) -> Services:
        with self.app.app_context():
            return services()

    def allow_models(self, patterns: list[str] | None) -> None:
        """Set the models that every organization may use. None allows all."""
        with self.app.app_context(), transaction() as session:
            server_models.set_allowed_models(session, patterns)

    def add_organization(self, slug: str, key: str | None = None, **settings: Any) -> TestOrganization:
        """Create an organization with a token, and with an OpenAI key unless `key` is ""."""
        with self.app.app_context(), transaction() as session:
            organization = organizations.create(session, slug, slug.title())
            _, token = tokens.create_webhook_token(session, organization, "flow")
        test_organization = TestOrganization(self, slug, token, "")
        if key != "":
            test_organization.set_key(key or f"sk-proj-{slug}-0123456789-{slug[-4:]:x<4}")
        if settings:
            test_organization.change(**settings)
        return test_organization


@contextmanager
def run_server(
    settings: Settings, *, with_worker: bool = False, passwords: Mapping[str, int] = CHEAP_PASSWORDS
) -> Iterator[RunningServer]:
    """Run the app behind a real socket in this process, with a worker if `with_worker`."""
    app = create_app(settings, passwords=passwords)
    with app.app_context():
        engine = services().engine
    if with_worker:
        worker.launch_engine(app, consumes=True)
    root = logging.getLogger()
    try:
        with serve(app) as url:
            yield RunningServer(app, url)
    finally:
        root.handlers = []
        recording.close()
        engine.close()
        with app.app_context():
            db.engine.dispose()
