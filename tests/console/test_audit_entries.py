"""Audit entries: every action is described by a plain sentence."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import Babel

from glific_gpt.audit.actions import Action
from glific_gpt.audit.trail import EntryView
from glific_gpt.console.presenters import audit_entries

DETAILS: dict[str, object] = {
    "slug": "alice",
    "changed": ["default_model", "fallback_message", "monthly_budget_usd", "require_signature"],
    "default_model": "gpt-5-mini",
    "monthly_budget_usd": None,
    "require_signature": True,
    "provider": "open_ai",
    "last4": "wxyz",
    "label": "Farmers",
    "patterns": ["gpt-4o*", "gpt-5"],
    "host": "api.seva.glific.com",
    "way": "signed",
    "call": "call_1",
    "store": "vs-1",
    "file": "file-1",
    "calls": 3,
    "email": "asha@example.org",
    "address": "198.51.100.7",
    "role": "viewer",
    "reencrypted": 7,
    "unreadable": 0,
    "days": 90,
    "deleted": 5,
    "rupees": "88.45",
    "day": "2026-11-23",
}
"""A value for every key that an entry may have."""


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def entry(action: str, detail: dict[str, object], actor: str = "asha@example.org") -> EntryView:
    return EntryView(1, datetime(2026, 11, 23, tzinfo=UTC), "alice", "Alice", actor, action, detail)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_sentence(action: Action) -> None:
    sentence = audit_entries.describe_action(entry(action, DETAILS))
    assert re.fullmatch(r"[A-Z][^_%?{}]+", sentence.replace("call_1", "")), sentence


def test_settings_and_lists_are_described_in_words() -> None:
    assert audit_entries.describe_action(entry("organization_changed", DETAILS)) == (
        "Changed settings: default model (gpt-5-mini), message when there is no answer, "
        "monthly budget in US dollars (not set), signature required (yes)"
    )
    for patterns, words in ((None, "all models that the server allows"), ([], "none"), (["gpt-4o*"], "gpt-4o*")):
        assert (
            audit_entries.describe_action(entry("models_allowed", {"patterns": patterns}))
            == f"Allowed these models: {words}"
        )


def test_entries_of_other_versions_of_the_server_are_shown() -> None:
    assert audit_entries.describe_action(entry("unknown_action", {"x": 1})) == "unknown_action"
    assert audit_entries.describe_action(entry("member_added", {})) == "Added ? as a member: ?"
    assert (
        audit_entries.describe_action(entry("member_added", {"email": "a@b.in", "role": "king"}))
        == "Added a@b.in as a member: king"
    )


@pytest.mark.parametrize(
    ("actor", "name"),
    [("server", "The server"), ("command line", "Command line"), ("API token flow", "API token flow")],
)
def test_programs_have_names(actor: str, name: str) -> None:
    assert audit_entries.describe_actor(entry("member_added", {}, actor)) == name
