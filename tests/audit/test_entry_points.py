"""Audit entries of the entry points: each names its actor, and each change is recorded."""

import json
from typing import Any

import pytest

from glific_gpt.operations import worker
from tests.api.client import Client, client_of
from tests.audit.reading import Line, entries, lines
from tests.support.glific_behaviours import answer, errors
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.server import RunningServer, TestOrganization

KEY = "sk-proj-0123456789-0123456789-wxyz"
PHRASE = "a phrase of alice and glific"


def flask(server: RunningServer, *args: str, stdin: str = "") -> Any:
    result = server.app.test_cli_runner().invoke(args=[*args, "--json"], input=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def run_every_command(server: RunningServer, glific: GlificStandIn) -> list[str]:
    """Run every command that changes something once. Return the secrets that were used."""
    first = flask(server, "organizations", "create", "alice", "--name", "Alice")["webhook_token"]
    second = flask(server, "tokens", "create", "alice", "--label", "menu flow")
    flask(server, "tokens", "revoke", "alice", str(second["id"]))
    third = flask(server, "api-tokens", "create", "--label", "report", "--organization", "alice")
    flask(server, "api-tokens", "revoke", str(third["id"]))
    flask(server, "signature", "set", "alice", "--phrase-stdin", stdin=PHRASE)
    flask(server, "signature", "clear", "alice")
    flask(server, "credentials", "set", "alice", "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    flask(server, "credentials", "deactivate", "alice", "open_ai")
    flask(server, "credentials", "activate", "alice", "open_ai")
    login = ("--phone", PHONE, "--password-stdin", "--no-verify")
    flask(server, "glific", "connect", "alice", "--api-url", glific.url, *login, stdin=PASSWORD)
    flask(server, "glific", "disconnect", "alice")
    flask(server, "models", "allow", "alice", "gpt-4o*")
    flask(server, "models", "server", "gpt-*")
    flask(server, "organizations", "set", "alice", "--default-model", "gpt-4o")
    flask(server, "organizations", "deactivate", "alice")
    flask(server, "organizations", "activate", "alice")
    flask(server, "credentials", "rotate")
    return [first, second["token"], third["token"], PHRASE, KEY, PASSWORD, PHONE]


def test_every_command_is_recorded_without_secrets(server: RunningServer, glific: GlificStandIn) -> None:
    secrets = run_every_command(server, glific)
    recorded = lines(server)
    assert {line.actor for line in recorded} == {"command line"}
    assert [line.action for line in recorded] == [
        "organization_created",
        "token_created",
        "token_created",
        "token_revoked",
        "api_token_created",
        "api_token_revoked",
        "signature_phrase_set",
        "signature_phrase_cleared",
        "credential_saved",
        "credential_deactivated",
        "credential_activated",
        "glific_connected",
        "glific_disconnected",
        "models_allowed",
        "server_models_allowed",
        "organization_changed",
        "organization_deactivated",
        "organization_activated",
        "keys_rotated",
    ]
    assert [secret for secret in secrets if secret in str(recorded)] == []
    server_actions = [entry.action for entry in entries(server) if entry.slug is None]
    assert server_actions == ["keys_rotated", "server_models_allowed"]


@pytest.fixture
def admin(server: RunningServer) -> Client:
    return client_of(server)


def send_every_request(admin: Client, glific: GlificStandIn) -> list[str]:
    """Send every request that changes something once. Return the secrets that were used."""
    first = admin.post("/organizations", {"slug": "alice", "name": "Alice"}).json()["webhook_token"]
    second = admin.post("/organizations/alice/tokens", {"label": "menu flow"}).json()
    admin.delete(f"/organizations/alice/tokens/{second['id']}")
    credential = "/organizations/alice/credentials/open_ai"
    admin.put(credential, {"api_key": KEY, "verify": False})
    admin.patch(credential, {"is_active": False})
    admin.patch(credential, {"is_active": True})
    admin.delete(credential)
    login = {"way": "api", "api_url": glific.url, "phone": PHONE, "password": PASSWORD, "verify": False}
    admin.put("/organizations/alice/glific", login)
    admin.delete("/organizations/alice/glific")
    admin.patch("/organizations/alice", {"allowed_models": ["gpt-4o*"], "default_model": "gpt-4o"})
    admin.patch("/organizations/alice", {"is_active": False})
    return [first, second["token"], admin.token, KEY, PASSWORD, PHONE]


def test_every_request_of_the_api_is_recorded_without_secrets(
    admin: Client, server: RunningServer, glific: GlificStandIn
) -> None:
    secrets = send_every_request(admin, glific)
    recorded = lines(server, "alice")
    assert {line.actor for line in recorded} == {"API token test"}
    assert [line.action for line in recorded] == [
        "organization_created",
        "token_created",
        "token_created",
        "token_revoked",
        "credential_saved",
        "credential_deactivated",
        "credential_activated",
        "credential_deleted",
        "glific_connected",
        "glific_disconnected",
        "models_allowed",
        "organization_changed",
        "organization_deactivated",
    ]
    assert [secret for secret in secrets if secret in str(lines(server))] == []


def test_a_refused_request_gives_no_entry(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    alices = client_of(server, "alice")
    before = lines(server)
    assert alices.patch("/organizations/bob", {"default_model": "gpt-4.1"}).status_code == 404
    assert alices.patch("/organizations/alice", {"is_active": False}).status_code == 403
    assert alices.patch("/organizations/alice", {"default_model": "tts-1"}).status_code == 422
    assert alices.delete("/organizations/alice/tokens/2").status_code == 404
    assert lines(server) == before


def test_a_retry_of_a_delivery_is_recorded(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    glific.always(errors({"key": "contact", "message": "Resource not found"}))
    call_id = str(alice.ask_deferred().json()["call_id"])
    worker.launch_engine(server.app, consumes=True)
    assert alice.wait_for_delivery(call_id).state == "undelivered"
    server.services.engine.stop(5)
    glific.always(answer())
    replies = [client_of(server, "alice").post(f"/organizations/alice/calls/{call_id}/retry") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 409]
    retried = [line for line in lines(server, "alice") if line.action == "call_retried"]
    assert retried == [Line("API token test", "call_retried", {"call": call_id})]


def test_a_webhook_call_gives_no_entry(server: RunningServer, alice: TestOrganization) -> None:
    before = lines(server)
    alice.ask()
    assert lines(server) == before
