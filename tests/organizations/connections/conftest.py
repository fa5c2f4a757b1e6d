"""Helpers for organizations' connections to the simulated Glific."""

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.database import transaction
from glific_gpt.glific.resumption import Access
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import connecting, store
from glific_gpt.organizations.connections.tables import GlificConnection
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer

PHONE = "919876543210"
PASSWORD = "a-password-of-alice"


@dataclass
class Connections:
    """Actions of users and of the server on connections."""

    server: RunningServer
    url: str

    def by_api(self, slug: str, **values: Any) -> GlificConnection:
        arguments = {"api_url": self.url, "phone": PHONE, "password": PASSWORD} | values
        password = SecretStr(arguments.pop("password"))
        with self.server.app.app_context():
            app = self.server.services
            return connecting.connect_by_api(app.vault, app.glific, slug, password=password, **arguments)

    def by_signed_call(self, slug: str, **values: Any) -> GlificConnection:
        with self.server.app.app_context():
            app = self.server.services
            return connecting.connect_by_signed_call(app.vault, app.glific, slug, **({"api_url": self.url} | values))

    def access(self, slug: str, from_call: int | None = None) -> Access:
        with self.server.app.app_context(), transaction() as session:
            organization = organizations.find(session, slug)
            return store.load_access(session, self.server.services.vault, organization.id, from_call)

    def row(self, slug: str) -> GlificConnection | None:
        with self.server.app.app_context(), transaction() as session:
            return store.find_or_none(session, organizations.find(session, slug).id)

    def disconnect(self, slug: str) -> None:
        with self.server.app.app_context(), transaction() as session:
            store.disconnect(session, organizations.find(session, slug).id)


@pytest.fixture
def connections(server: RunningServer, glific: GlificStandIn) -> Connections:
    """Connections to a Glific at which alice has an account."""
    glific.accounts[PHONE] = PASSWORD
    return Connections(server, glific.url)
