"""Clients of the JSON API: an administrator, and the organizations alice and bob."""

import pytest

from tests.api.client import Client, client_of
from tests.support.server import RunningServer, TestOrganization


@pytest.fixture
def administrator(server: RunningServer) -> Client:
    return client_of(server)


@pytest.fixture
def alice_client(server: RunningServer, alice: TestOrganization) -> Client:
    """A client of the organization alice, which has an OpenAI key and a webhook token."""
    return client_of(server, alice.slug)


@pytest.fixture
def bob_client(server: RunningServer, bob: TestOrganization) -> Client:
    """A client of the organization bob."""
    return client_of(server, bob.slug)
