"""Audit entries of the domain modules: one for each change, none without a change, and no free text."""

import pytest

from glific_gpt.database import transaction
from glific_gpt.errors import GlificGptError, NotFound
from glific_gpt.operations import rotation
from glific_gpt.organizations import server_models, signature, store, tokens
from glific_gpt.organizations.credentials import store as credentials
from tests.audit.reading import Line, lines
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.server import RunningServer, TestOrganization

PHRASE = "a phrase of alice and glific"


def last_entries(server: RunningServer, count: int = 1) -> list[tuple[str, object]]:
    """Return action and detail of the newest entries, oldest first."""
    return [(line.action, line.detail) for line in lines(server)[-count:]]


def test_a_new_organization_with_a_token_and_a_key_gives_three_entries(server: RunningServer) -> None:
    server.add_organization("alice", key="sk-proj-0123456789-wxyz")
    saved = {"provider": "open_ai", "last4": "wxyz", "is_active": True, "verified": False}
    assert lines(server, "alice") == [
        Line("server", "organization_created", {"slug": "alice"}),
        Line("server", "token_created", {"token": 1, "label": "flow"}),
        Line("server", "credential_saved", saved),
    ]


def test_settings_are_recorded_with_values_and_free_text_without(
    server: RunningServer, alice: TestOrganization
) -> None:
    alice.change(
        name="Alice Trust",
        fallback_message="Please ask Asha",
        default_model="gpt-4.1",
        monthly_budget_usd="12.50",
        contact_daily_limit=5,
    )
    changed = ["contact_daily_limit", "default_model", "fallback_message", "monthly_budget_usd", "name"]
    values = {"default_model": "gpt-4.1", "monthly_budget_usd": "12.50", "contact_daily_limit": 5}
    assert last_entries(server) == [("organization_changed", {"changed": changed} | values)]


def test_switches_and_model_lists_give_entries_of_their_own(server: RunningServer, alice: TestOrganization) -> None:
    alice.change(is_active=False, allowed_models=["GPT-4o*"], require_signature=True)
    alice.change(is_active=True, allowed_models=None)
    assert last_entries(server, 5) == [
        ("organization_deactivated", {}),
        ("models_allowed", {"patterns": ["gpt-4o*"]}),
        ("organization_changed", {"changed": ["require_signature"], "require_signature": True}),
        ("organization_activated", {}),
        ("models_allowed", {"patterns": None}),
    ]


def test_an_unchanged_value_gives_no_entry(server: RunningServer, alice: TestOrganization) -> None:
    alice.change(default_model="gpt-4.1", monthly_budget_usd=5)
    before = lines(server)
    alice.change(is_active=True, default_model="gpt-4.1", monthly_budget_usd=5, allowed_models=None)
    alice.switch_key(on=True)
    with server.app.app_context(), transaction() as session:
        server_models.set_allowed_models(session, None)
        signature.clear_phrase(session, store.find(session, "alice"))
    assert lines(server) == before


def test_a_key_is_identified_by_its_last_characters(server: RunningServer, alice: TestOrganization) -> None:
    alice.set_key("sk-proj-0123456789-wxyz")
    alice.switch_key(on=False)
    alice.switch_key(on=True)
    with server.app.app_context(), transaction() as session:
        credentials.delete(session, store.find(session, "alice").id, server.services.model_provider)
    key = {"provider": "open_ai", "last4": "wxyz"}
    assert last_entries(server, 3) == [
        ("credential_deactivated", key),
        ("credential_activated", key),
        ("credential_deleted", key),
    ]


def test_a_phrase_and_a_connection_are_recorded_without_secrets(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    alice.connect_signed(glific, PHRASE)
    with server.app.app_context(), transaction() as session:
        signature.clear_phrase(session, store.find(session, "alice"))
    assert last_entries(server, 4) == [
        ("glific_connected", {"way": "api", "host": "127.0.0.1"}),
        ("signature_phrase_set", {}),
        ("glific_connected", {"way": "signed", "host": "127.0.0.1"}),
        ("signature_phrase_cleared", {}),
    ]
    recorded = str(lines(server))
    assert not [secret for secret in (PHRASE, PASSWORD, PHONE, alice.key, alice.token) if secret in recorded]


def test_a_rotation_gives_one_entry_with_counts(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    alice.set_phrase(PHRASE)
    with server.app.app_context():
        list(rotation.rotate(server.services.vault))
    assert last_entries(server, 2) == [
        ("signature_phrase_set", {}),
        ("keys_rotated", {"reencrypted": 3, "unreadable": 0}),
    ]


def test_a_refused_change_gives_no_entry(server: RunningServer, alice: TestOrganization, bob: TestOrganization) -> None:
    before = lines(server)
    with server.app.app_context():
        with pytest.raises(GlificGptError), transaction() as session:
            signature.set_phrase(session, store.find(session, "alice"), "", server.services.vault)
        with pytest.raises(NotFound), transaction() as session:
            tokens.revoke_webhook_token(session, store.find(session, "bob"), 1)
        with pytest.raises(GlificGptError), transaction() as session:
            store.create(session, "alice", "Alice once more")
        with pytest.raises(GlificGptError), transaction() as session:
            server_models.set_allowed_models(session, ["gpt 4o"])
    assert lines(server) == before
