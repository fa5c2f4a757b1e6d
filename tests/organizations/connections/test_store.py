"""Stored connections: the access that deliveries use, and the errors if something is missing."""

import pytest
from cryptography.fernet import Fernet

from glific_gpt.database import transaction
from glific_gpt.errors import GlificNotConnected, NotFound, NotReady
from glific_gpt.glific.resumption import ApiAccess, SignedAccess
from glific_gpt.organizations import signature
from glific_gpt.organizations import store as organizations
from glific_gpt.organizations.connections import store
from glific_gpt.organizations.connections.tables import GlificConnection
from tests.conftest import StartServer
from tests.organizations.connections.conftest import PASSWORD, Connections
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

PHRASE = "a phrase of alice and glific"


def signed_for(connections: Connections, from_call: int | None) -> int:
    """Return Glific's organization id for which a call is signed."""
    access = connections.access("alice", from_call)
    assert isinstance(access, SignedAccess)
    return access.organization_id


def test_an_organization_is_connected_until_it_is_disconnected(
    connections: Connections, alice: TestOrganization, bob: TestOrganization
) -> None:
    def connected() -> list[bool]:
        with connections.server.app.app_context(), transaction() as session:
            ids = [organizations.find(session, organization.slug).id for organization in (alice, bob)]
            return [store.find_or_none(session, organization_id) is not None for organization_id in ids]

    assert connected() == [False, False]
    connections.by_api(alice.slug)
    assert connected() == [True, False]
    with pytest.raises(NotFound, match="not connected to Glific"):
        connections.disconnect(bob.slug)
    connections.disconnect(alice.slug)
    assert connected() == [False, False]
    with pytest.raises(GlificNotConnected, match="not connected to Glific"):
        connections.access(alice.slug)


def test_the_saved_glific_id_has_priority_over_the_id_from_the_call(
    connections: Connections, alice: TestOrganization
) -> None:
    alice.set_phrase(PHRASE)
    connections.by_signed_call(alice.slug)
    assert signed_for(connections, from_call=7) == 7
    alice.change(glific_organization_id=12)
    assert signed_for(connections, from_call=7) == 12
    assert signed_for(connections, from_call=None) == 12


def test_a_signed_call_needs_a_glific_id(connections: Connections, alice: TestOrganization) -> None:
    alice.set_phrase(PHRASE)
    connections.by_signed_call(alice.slug)
    with pytest.raises(GlificNotConnected, match="Set the Glific organization id"):
        connections.access(alice.slug)


def test_a_signed_call_needs_a_phrase(connections: Connections, server: RunningServer, alice: TestOrganization) -> None:
    alice.set_phrase(PHRASE)
    connections.by_signed_call(alice.slug)
    with server.app.app_context(), transaction() as session:
        signature.clear_phrase(session, organizations.find(session, alice.slug))
    with pytest.raises(GlificNotConnected, match="webhook signature, which is not set"):
        connections.access(alice.slug, from_call=7)


def test_a_login_and_a_phrase_need_a_valid_encryption_key(
    connections: Connections, start_server: StartServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    bob.set_phrase(PHRASE)
    row = connections.by_api(alice.slug)
    connections.by_signed_call(bob.slug)
    other_server = start_server(encryption_keys=Fernet.generate_key().decode())
    other_connections = Connections(other_server, connections.url)
    with pytest.raises(NotReady):
        other_connections.access(alice.slug)
    with pytest.raises(NotReady):
        other_connections.access(bob.slug, from_call=7)
    assert store.phone_last4(other_server.services.vault, row) is None


def test_a_login_that_is_copied_to_another_organization_cannot_be_read(
    connections: Connections, server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    ciphertext = connections.by_api(alice.slug).ciphertext
    connections.by_api(bob.slug)
    with server.app.app_context(), transaction() as session:
        store.find(session, organizations.find(session, bob.slug).id).ciphertext = ciphertext
    with pytest.raises(NotReady):
        connections.access(bob.slug)
    assert isinstance(connections.access(alice.slug), ApiAccess)


def test_only_the_last_digits_of_the_phone_number_are_shown(
    connections: Connections, server: RunningServer, alice: TestOrganization
) -> None:
    row: GlificConnection = connections.by_api(alice.slug)
    assert store.phone_last4(server.services.vault, row) == "3210"
    alice.set_phrase(PHRASE)
    assert store.phone_last4(server.services.vault, connections.by_signed_call(alice.slug)) is None


def test_the_repr_of_a_login_hides_it(connections: Connections, alice: TestOrganization) -> None:
    row, access = connections.by_api(alice.slug), connections.access(alice.slug)
    text = f"{row!r} {access!r} {access}"
    assert PASSWORD not in text
    assert "98765" not in text
