"""Route of models."""

from typing import Any

from tests.api.client import Client
from tests.support.house import Ngo
from tests.support.openai_stand_in import OpenAIStandIn


def _models(client: Client) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in client.get("/organizations/alice/models").json()}


def test_it_tells_of_each_model_whether_it_may_be_used_and_what_it_costs(alices: Client) -> None:
    models = _models(alices)
    text, speech = models["gpt-4o"], models["whisper-1"]
    assert (text["kind"], text["allowed"], text["reason"]) == ("text", True, None)
    assert 0 < text["input_usd_per_million_tokens"] < text["output_usd_per_million_tokens"]
    assert (speech["kind"], speech["allowed"]) == ("transcription", False)
    assert "whisper-1" in speech["reason"]


def test_a_list_of_the_organizations_own_narrows_what_is_allowed(alices: Client, alice: Ngo) -> None:
    alice.change(allowed_models=["gpt-4o-*"])
    models = _models(alices)
    assert (models["gpt-4o-mini"]["allowed"], models["gpt-4o"]["allowed"]) == (True, False)


def test_it_shows_those_that_the_key_reaches_without_asking_again(alices: Client, openai: OpenAIStandIn) -> None:
    openai.models = ["gpt-4o", "gpt-9-secret"]
    alices.put("/organizations/alice/credentials/open_ai", {"api_key": "sk-proj-alice-0123456789"})
    openai.reset()
    assert _models(alices).keys() == {"gpt-4o", "gpt-9-secret"}
    assert openai.requests == []


def test_the_servers_list_narrows_what_is_allowed(alices: Client, alice: Ngo) -> None:
    alice.change(allowed_models=["gpt-4o*", "o3"])
    alice.house.allow_models(["gpt-4o-mini", "gpt-5*"])
    allowed = {name for name, model in _models(alices).items() if model["allowed"]}
    assert "gpt-4o-mini" in allowed
    assert not allowed & {"gpt-4o", "o3", "gpt-5"}
    assert "administrators of this server" in _models(alices)["o3"]["reason"]
