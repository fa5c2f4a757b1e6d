"""Creation and verification of connections to Glific."""

import pytest

from glific_gpt.errors import GlificNotVerified, InvalidValue, NotFound
from glific_gpt.glific.resumption import ApiAccess, SignedAccess
from tests.organizations.connections.conftest import PASSWORD, PHONE, Connections
from tests.support.glific_stand_in import GlificStandIn
from tests.support.programs import free_port
from tests.support.server import TestOrganization

PHRASE = "a phrase of alice and glific"


def login_of(connections: Connections, slug: str = "alice") -> tuple[str, str]:
    """Return the login that deliveries of the organization use."""
    access = connections.access(slug)
    assert isinstance(access, ApiAccess)
    return access.phone, access.password.get_secret_value()


@pytest.mark.parametrize("value", [PHONE, "+91 98765 43210", " 91-9876-543210 ", "+919876543210"])
def test_a_login_that_glific_accepts_is_saved(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization, value: str
) -> None:
    row = connections.by_api(alice.slug, phone=value, api_url=f"{glific.url}/api/")
    assert (row.way, row.api_url) == ("api", glific.url)
    assert row.verified_at is not None
    assert len(glific.logins) == 1
    assert login_of(connections) == (PHONE, PASSWORD)


def test_nothing_is_saved_if_glific_refuses_or_is_unreachable(
    connections: Connections, alice: TestOrganization
) -> None:
    connections.by_api(alice.slug)
    before = connections.row(alice.slug)
    assert before is not None
    unreachable_url = f"http://127.0.0.1:{free_port()}"
    invalid: tuple[dict[str, str], ...] = (
        {"password": "another-password"},
        {"phone": "15550100200"},
        {"api_url": unreachable_url},
    )
    for values in invalid:
        with pytest.raises(GlificNotVerified) as caught:
            connections.by_api(alice.slug, **values)
        assert str(caught.value).startswith("Nothing was saved. ")
        assert str(caught.value).endswith('use --no-verify, or "verify": false in the JSON API.')
        assert not any(value in str(caught.value) for value in values.values())
    after = connections.row(alice.slug)
    assert after is not None
    assert (after.api_url, after.ciphertext, after.verified_at) == (
        before.api_url,
        before.ciphertext,
        before.verified_at,
    )


def test_a_connection_can_be_saved_without_verification(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization
) -> None:
    row = connections.by_api(alice.slug, password="wrong-password", verify=False)
    assert row.verified_at is None
    assert glific.requests == []
    assert login_of(connections) == (PHONE, "wrong-password")


def test_a_host_that_the_operator_does_not_allow_gets_no_request(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization
) -> None:
    for url in ("https://api.seva.example.org", "ftp://127.0.0.1", "", glific.url.replace("127.0.0.1", "localhost")):
        for verify in (True, False):
            with pytest.raises(InvalidValue):
                connections.by_api(alice.slug, api_url=url, verify=verify)
    assert glific.requests == []
    assert connections.row(alice.slug) is None


@pytest.mark.parametrize(
    "value", ["", "+", "98765", "09876543210", "91 98765 4321O", "919876543210123456", "९१९८७६५४३२१०"]
)
def test_an_invalid_phone_number_is_refused(connections: Connections, alice: TestOrganization, value: str) -> None:
    with pytest.raises(InvalidValue, match=r"^phone: .* country code.*\.$"):
        connections.by_api(alice.slug, phone=value)


@pytest.mark.parametrize("value", ["", " \t", "x" * 1001])
def test_an_invalid_password_is_refused(connections: Connections, alice: TestOrganization, value: str) -> None:
    with pytest.raises(InvalidValue, match=r"^password: it is empty or too long\. Use at most 1000 characters\.$"):
        connections.by_api(alice.slug, password=value)


def test_a_password_is_saved_unchanged(connections: Connections, alice: TestOrganization) -> None:
    for password in (" with spaces ", "पासवर्ड-1", "x" * 1000):
        connections.by_api(alice.slug, password=password, verify=False)
        assert login_of(connections) == (PHONE, password)


def test_the_signed_call_uses_the_saved_phrase(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization
) -> None:
    alice.set_phrase(PHRASE)
    row = connections.by_signed_call(alice.slug)
    assert (row.way, row.api_url, row.ciphertext) == ("signed", glific.url, None)
    assert row.verified_at is not None
    assert len(glific.requests) == 1
    access = connections.access(alice.slug, from_call=7)
    assert isinstance(access, SignedAccess)
    assert access.phrase.get_secret_value() == PHRASE


def test_the_signed_call_needs_a_phrase(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization
) -> None:
    with pytest.raises(InvalidValue, match="flask signature set alice --phrase-stdin"):
        connections.by_signed_call(alice.slug, verify=False)
    assert (glific.requests, connections.row(alice.slug)) == ([], None)


def test_the_signed_call_is_not_saved_if_glific_is_unreachable(
    connections: Connections, alice: TestOrganization
) -> None:
    alice.set_phrase(PHRASE)
    with pytest.raises(GlificNotVerified, match=r"^Nothing was saved\. "):
        connections.by_signed_call(alice.slug, api_url=f"http://127.0.0.1:{free_port()}")
    assert connections.row(alice.slug) is None


def test_the_signed_call_replaces_a_login(connections: Connections, alice: TestOrganization) -> None:
    alice.set_phrase(PHRASE)
    connections.by_api(alice.slug)
    assert connections.by_signed_call(alice.slug).ciphertext is None
    connections.by_api(alice.slug)
    assert login_of(connections) == (PHONE, PASSWORD)


def test_an_unknown_organization_cannot_be_connected(connections: Connections, glific: GlificStandIn) -> None:
    for connect in (connections.by_api, connections.by_signed_call):
        with pytest.raises(NotFound):
            connect("nobody")
    assert glific.requests == []


def test_connections_of_two_organizations_are_independent(
    connections: Connections, glific: GlificStandIn, alice: TestOrganization, bob: TestOrganization
) -> None:
    glific.accounts["15550100200"] = "a-password-of-bob"
    connections.by_api(alice.slug)
    connections.by_api(bob.slug, phone="15550100200", password="a-password-of-bob")
    assert login_of(connections, "alice") == (PHONE, PASSWORD)
    assert login_of(connections, "bob") == ("15550100200", "a-password-of-bob")
    connections.disconnect("bob")
    assert connections.row("bob") is None
    assert login_of(connections, "alice") == (PHONE, PASSWORD)
