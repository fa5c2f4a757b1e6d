"""Who uses the API: an administrator, alice's organization, bob's organization."""

import pytest

from tests.api.client import Client, client_of
from tests.support.house import House, Ngo


@pytest.fixture
def administrator(house: House) -> Client:
    return client_of(house)


@pytest.fixture
def alices(house: House, alice: Ngo) -> Client:
    """Alice's organization, which is there with a key and a webhook token."""
    return client_of(house, alice.slug)


@pytest.fixture
def bobs(house: House, bob: Ngo) -> Client:
    """Bob's."""
    return client_of(house, bob.slug)
