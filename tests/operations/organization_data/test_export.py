"""The export of an organization: complete, without secrets, and with nothing of other organizations."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest

import glific_gpt
from glific_gpt.database import transaction
from glific_gpt.operations.organization_data import export
from glific_gpt.operations.organization_data.tables import EXPORTED, TABLES
from glific_gpt.organizations import store
from tests.operations.organization_data.scenario import CONTACT, PHRASE, fill, organization_id, rows_of
from tests.support.call_records import create_call
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.server import TestOrganization

pytestmark = pytest.mark.both_databases


def export_parts(organization: TestOrganization) -> list[bytes]:
    with organization.server.app.app_context():
        with transaction() as session:
            row = store.find(session, organization.slug)
        return list(export.stream(row))


def read(parts: list[bytes]) -> dict[str, Any]:
    """Return the lines of each file, and the manifest."""
    with ZipFile(io.BytesIO(b"".join(parts))) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    lines = {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items() if "jsonl" in name}
    assert texts["README.txt"].startswith("All data of one organization")
    return lines | {"manifest": json.loads(texts["manifest.json"])}


def test_it_contains_every_row_of_the_organization_and_no_other(
    alice: TestOrganization, bob: TestOrganization, glific: GlificStandIn
) -> None:
    for organization in (alice, bob):
        fill(organization, glific)
    stored, exported = rows_of(alice.server, organization_id(alice)), read(export_parts(alice))
    for table in EXPORTED:
        rows = exported[f"{table.name}.jsonl"]
        assert len(rows) == len(stored[table.table.name]) > 0, table.name
    assert "bob" not in json.dumps(exported)
    (organization,) = exported["organization.jsonl"]
    assert (organization["slug"], organization["signature_phrase_set"]) == ("alice", True)
    assert {person["email"]: person["role"] for person in exported["people.jsonl"]} == {
        "owner@alice.example.org": "owner",
        "both@example.org": "viewer",
    }
    call = exported["calls.jsonl"][0]
    assert (call["contact_id"], call["cost_usd"], call["started_at"][-1]) == (CONTACT, 0.001, "Z")


def test_it_contains_no_secret(alice: TestOrganization, glific: GlificStandIn) -> None:
    fill(alice, glific)
    stored = rows_of(alice.server, organization_id(alice))
    secrets = [alice.token, alice.key, PHRASE, PASSWORD, PHONE]
    secrets += [row["token_hash"] for name in ("webhook_tokens", "api_tokens") for row in stored[name]]
    secrets += [row["ciphertext"] for name in ("credentials", "glific_connections") for row in stored[name]]
    secrets += [row["signature_phrase"] for row in stored["organizations"]]
    exported = json.dumps(read(export_parts(alice)))
    assert not [secret for secret in secrets if secret in exported]
    assert '"last4": "lice"' in exported


def test_the_manifest_counts_the_lines_and_names_what_is_left_out(
    alice: TestOrganization, glific: GlificStandIn
) -> None:
    fill(alice, glific)
    exported = read(export_parts(alice))
    manifest = exported["manifest"]
    assert (manifest["organization"], manifest["version"]) == ("alice", glific_gpt.__version__)
    assert {file["file"]: file["rows"] for file in manifest["files"]} == {
        name: len(lines) for name, lines in exported.items() if name != "manifest"
    }
    assert manifest["left_out"].keys() == {table.table.name for table in TABLES if not table.name}


def test_it_is_streamed_in_batches_that_lose_and_repeat_nothing(
    alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH_SIZE", 2)
    call_ids = [create_call(alice) for _ in range(5)]
    parts = export_parts(alice)
    assert len([part for part in parts if part]) >= 3
    assert [call["call_id"] for call in read(parts)["calls.jsonl"]] == call_ids


def test_rows_with_a_key_of_several_columns_are_exported_in_batches_too(
    alice: TestOrganization, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH_SIZE", 1)
    fill(alice, glific)
    assert len(read(export_parts(alice))["people.jsonl"]) == 2
