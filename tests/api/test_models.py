"""Route of models."""

from typing import Any

from tests.api.client import Client
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization


def _models(client: Client) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in client.get("/organizations/alice/models").json()}


def test_it_shows_whether_each_model_is_allowed_and_its_prices(alice_client: Client) -> None:
    models = _models(alice_client)
    text, speech = models["gpt-4o"], models["whisper-1"]
    assert (text["kind"], text["allowed"], text["reason"]) == ("text", True, None)
    assert 0 < text["input_usd_per_million_tokens"] < text["output_usd_per_million_tokens"]
    assert (speech["kind"], speech["allowed"]) == ("transcription", False)
    assert "whisper-1" in speech["reason"]


def test_the_organizations_allowlist_restricts_models(alice_client: Client, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o-*"])
    models = _models(alice_client)
    assert (models["gpt-4o-mini"]["allowed"], models["gpt-4o"]["allowed"]) == (True, False)


def test_it_lists_the_models_of_the_key_without_asking_openai_again(
    alice_client: Client, openai: OpenAIStandIn
) -> None:
    openai.models = ["gpt-4o", "gpt-9-secret"]
    alice_client.put("/organizations/alice/credentials/open_ai", {"api_key": "sk-proj-alice-0123456789"})
    openai.reset()
    assert _models(alice_client).keys() == {"gpt-4o", "gpt-9-secret"}
    assert openai.requests == []


def test_the_servers_allowlist_restricts_models(alice_client: Client, alice: TestOrganization) -> None:
    alice.change(allowed_models=["gpt-4o*", "o3"])
    alice.server.allow_models(["gpt-4o-mini", "gpt-5*"])
    allowed = {name for name, model in _models(alice_client).items() if model["allowed"]}
    assert "gpt-4o-mini" in allowed
    assert not allowed & {"gpt-4o", "o3", "gpt-5"}
    assert "administrators of this server" in _models(alice_client)["o3"]["reason"]
