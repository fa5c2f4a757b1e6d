"""Clients of the JSON API: an administrator, and the organizations alice and bob."""

import pytest

from tests.api.client import Client, client_of
from tests.support.house import House, Ngo


@pytest.fixture
def administrator(house: House) -> Client:
    return client_of(house)


@pytest.fixture
def alice_client(house: House, alice: Ngo) -> Client:
    """A client of the organization alice, which has an OpenAI key and a webhook token."""
    return client_of(house, alice.slug)


@pytest.fixture
def bob_client(house: House, bob: Ngo) -> Client:
    """A client of the organization bob."""
    return client_of(house, bob.slug)
