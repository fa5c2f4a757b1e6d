"""Choice of the model: defaults, models that are never asked, and allowlists."""

import pytest

from glific_gpt.errors import SettingsError
from tests.conftest import StartServer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


NON_TEXT_MODELS = (
    "tts-1",
    "tts-1-hd-1106",
    "gpt-4o-mini-tts",
    "gpt-4o-mini-tts-2025-12-15",
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-audio",
    "gpt-audio-mini",
    "gpt-4o-audio-preview-2024-12-17",
    "gpt-realtime",
    "gpt-4o-realtime-preview",
    "gpt-live-1",
    "dall-e-3",
    "gpt-image-1",
    "chatgpt-image-latest",
    "sora-2-pro",
    "text-embedding-3-small",
    "omni-moderation-latest",
    "TTS-1",
    "Gpt-4o-Mini-TTS",
    " tts-1 ",
    "tts-1\n",
    "ft:tts-1:ngo::abc123",
    "FT:GPT-4o-mini-TTS:ngo:chat:abc123",
    "ft:gpt-4o-mini-tts-2025-12-15:ngo:gpt-4o:abc123",
    "ft:whisper-1:ngo::abc123",
    "gpt-7-tts",
    "gpt-9o-speech-preview",
    "o9-realtime-mini",
)
COMPLETION_MODELS = (
    "davinci-002",
    "babbage-002",
    "gpt-3.5-turbo-instruct",
    "GPT-3.5-turbo-instruct-0914",
    "ft:davinci-002:ngo::x",
)


def test_the_flows_model_overrides_the_organizations_and_the_servers(
    start_server: StartServer, openai: OpenAIStandIn
) -> None:
    alice = start_server(default_model="gpt-4.1-mini").add_organization("alice")
    require_ok(alice.ask())
    alice.change(default_model="gpt-4.1")
    require_ok(alice.ask())
    require_ok(alice.ask(gpt_model="gpt-4o-mini"))
    alice.change(default_model=None)
    require_ok(alice.ask())
    assert [request.model for request in openai.requests] == ["gpt-4.1-mini", "gpt-4.1", "gpt-4o-mini", "gpt-4.1-mini"]


def test_a_non_text_model_is_never_asked(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for allowed in (None, ["*"], ["tts-1", "*tts*"]):
        alice.change(allowed_models=allowed)
        for model in NON_TEXT_MODELS:
            reply = alice.ask(gpt_model=model)
            assert (model, get_code(reply)) == (model, "model_not_text")
            if allowed is None:
                assert model.strip().lower() in require_error(reply, "model_not_text")["error"].lower()
    assert openai.requests == []


def test_a_completion_model_is_not_supported(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for model in COMPLETION_MODELS:
        require_error(alice.ask(model=model), "model_not_supported")
    assert openai.requests == []


def test_a_server_with_a_non_text_default_model_does_not_start(start_server: StartServer) -> None:
    with pytest.raises(SettingsError, match="GLIFIC_GPT_DEFAULT_MODEL is not a text model"):
        start_server(default_model="tts-1")


@pytest.mark.parametrize(
    ("operator", "organization", "allowed", "refused"),
    [
        ("*", None, ["gpt-4o", "o3", "ft:gpt-4o:ngo::x", "unheard-of"], []),
        ("*", [], [], ["gpt-4o", "gpt-4o-mini"]),
        ("*", ["gpt-4o*"], ["gpt-4o", "GPT-4o-mini", " gpt-4o "], ["gpt-4.1", "o3", "ft:gpt-4o:ngo::x"]),
        ("*", ["ft:gpt-4o:ngo:*"], ["ft:gpt-4o:ngo::x"], ["gpt-4o", "ft:gpt-4o:other::x"]),
        ("gpt-4o*", None, ["gpt-4o-mini"], ["gpt-4.1"]),
        ("gpt-4o*", ["*"], ["gpt-4o-mini"], ["gpt-4.1"]),
        ("gpt-4o*,gpt-4.1", ["gpt-4.1*"], ["gpt-4.1"], ["gpt-4o", "gpt-4.1-mini"]),
        ("", ["*"], [], ["gpt-4o"]),
    ],
    ids=["any", "none", "prefix", "fine-tunes", "operator's", "not widened", "both", "operator's none"],
)
def test_an_organizations_allowlist_only_narrows_the_servers(
    start_server: StartServer,
    openai: OpenAIStandIn,
    operator: str,
    organization: list[str] | None,
    allowed: list[str],
    refused: list[str],
) -> None:
    alice = start_server(models=operator).add_organization("alice", allowed_models=organization)
    for model in refused:
        require_error(alice.ask(gpt_model=model), "model_not_allowed")
    assert openai.requests == []
    for model in allowed:
        require_ok(alice.ask(gpt_model=model))


def test_a_default_model_must_be_allowed(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(allowed_models=["gpt-4o-mini"])
    require_error(alice.ask(), "model_not_allowed")
    assert openai.requests == []


def test_an_allowlist_is_read_for_every_call(alice: TestOrganization) -> None:
    for patterns, code in ((["gpt-4o"], "ok"), (["o3"], "model_not_allowed"), ([], "model_not_allowed"), (None, "ok")):
        alice.change(allowed_models=patterns)
        assert get_code(alice.ask()) == code


@pytest.mark.parametrize(
    ("environment", "on_server", "on_organization", "allowed", "refused"),
    [
        ("gpt-4o*", ["*"], ["*"], ["gpt-4o"], ["gpt-4.1"]),
        ("*", ["gpt-4o*"], ["*"], ["gpt-4o"], ["gpt-4.1"]),
        ("gpt-4o*", ["gpt-4.1*"], None, [], ["gpt-4o", "gpt-4.1"]),
        ("gpt-*", ["gpt-4*"], ["gpt-4o*"], ["gpt-4o-mini"], ["gpt-4.1", "gpt-5"]),
        ("*", [], ["*"], [], ["gpt-4o"]),
    ],
    ids=["not widened", "narrowed", "nothing in common", "all three", "none"],
)
def test_a_model_must_be_on_all_three_allowlists(
    start_server: StartServer,
    environment: str,
    on_server: list[str],
    on_organization: list[str] | None,
    allowed: list[str],
    refused: list[str],
) -> None:
    server = start_server(models=environment)
    server.allow_models(on_server)
    alice = server.add_organization("alice", allowed_models=on_organization)
    assert [get_code(alice.ask(gpt_model=model)) for model in refused] == ["model_not_allowed"] * len(refused)
    assert [get_code(alice.ask(gpt_model=model)) for model in allowed] == ["ok"] * len(allowed)
