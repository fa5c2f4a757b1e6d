"""flask credentials set, show, activate, deactivate."""

from tests.cli.conftest import Commands, OpenCommands
from tests.support.openai_errors import refuse_key, server_error
from tests.support.openai_stand_in import OpenAIStandIn

KEY = "sk-proj-seva-0123456789-wxyz"
SET = ("credentials", "set", "seva", "open_ai", "--api-key-stdin")


def test_it_saves_a_key_that_openai_accepts(flask: Commands, seva: str, openai: OpenAIStandIn) -> None:
    saved = flask.json(*SET, stdin=KEY + "\n")
    assert saved.pop("updated_at")
    assert saved.pop("verified_at").endswith("Z")
    assert saved == {"provider": "open_ai", "base_url": None, "is_active": True, "last4": "wxyz"}
    assert [request.api_key for request in openai.requests] == [KEY]
    assert flask.json("credentials", "show", seva)["last4"] == "wxyz"


def test_it_saves_nothing_if_openai_refuses_the_key_or_is_unavailable(
    flask: Commands, seva: str, openai: OpenAIStandIn
) -> None:
    flask.text(*SET, stdin=KEY)
    before = flask.json("credentials", "show", seva)
    reasons = ((refuse_key(), "refused this key"), (server_error(500), "could not be reached or had a failure"))
    for behaviour, reason in reasons:
        openai.for_models(behaviour)
        sentence = flask.failure(*SET, stdin="sk-proj-other-0123456789-abcd")
        assert sentence.startswith(f"Nothing was saved. OpenAI {reason}")
    assert flask.json("credentials", "show", seva) == before


def test_a_key_can_be_saved_inactive_and_without_verification(
    flask: Commands, seva: str, openai: OpenAIStandIn
) -> None:
    saved = flask.json(*SET, "--inactive", "--no-verify", stdin=KEY)
    assert (saved["is_active"], saved["verified_at"]) == (False, None)
    assert openai.requests == []
    assert f"flask credentials activate {seva} open_ai" in flask.text(*SET, "--inactive", stdin=KEY)


def test_it_deactivates_and_activates_a_key(flask: Commands, seva: str) -> None:
    flask.text(*SET, stdin=KEY)
    assert flask.json("credentials", "deactivate", seva, "open_ai")["is_active"] is False
    assert flask.json("credentials", "show", seva)["is_active"] is False
    assert "ends in wxyz is active" in flask.text("credentials", "activate", seva, "open_ai")
    assert flask.json("credentials", "show", seva)["is_active"] is True


def test_it_says_that_there_is_no_key(flask: Commands, seva: str) -> None:
    assert "has no key" in flask.failure("credentials", "show", seva)
    assert "has no key" in flask.failure("credentials", "activate", seva, "open_ai")


def test_it_refuses_an_unknown_provider(flask: Commands, seva: str) -> None:
    sentence = "There is no provider with this name. Use open_ai."
    assert flask.failure("credentials", "set", seva, "nope", "--api-key-stdin", stdin=KEY) == sentence
    assert flask.failure("credentials", "deactivate", seva, "nope") == sentence


def test_a_key_is_read_only_from_standard_input(flask: Commands, seva: str) -> None:
    assert flask.failure("credentials", "set", seva, "open_ai", stdin=KEY, code=2) == (
        "Missing option '--api-key-stdin'."
    )
    flask.failure(*SET, KEY, code=2)
    assert "has no key" in flask.failure("credentials", "show", seva)


def test_it_refuses_an_invalid_key(flask: Commands, seva: str) -> None:
    for typed in ("", "sk", "sk-proj two words", "sk-proj-ключ-0123456789"):
        assert "not an OpenAI key" in flask.failure(*SET, stdin=typed)
    assert "not UTF-8 text" in flask.failure(*SET, stdin=b"sk-proj-\xff\xfe")


def test_a_key_can_have_an_address_of_its_own(
    flask_with: OpenCommands, seva: str, openai: OpenAIStandIn, other_openai: OpenAIStandIn
) -> None:
    flask = flask_with(openai_hosts="127.0.0.1")
    saved = flask.json(*SET, "--base-url", f"{other_openai.base_url}/", stdin="EMPTY")
    assert saved["base_url"] == flask.json("credentials", "show", seva)["base_url"] == other_openai.base_url
    assert ([sent.api_key for sent in other_openai.requests], openai.requests) == (["EMPTY"], [])
    prices = [model["input_usd_per_million_tokens"] for model in flask.json("models", "list", seva)]
    assert prices == [None] * len(other_openai.models)  # also of gpt-4o, which costs money at OpenAI
    other_openai.models = ["Qwen/Qwen3-8B"]
    shown = flask.text(*SET, "--base-url", other_openai.base_url, stdin="EMPTY")
    assert "This server does not list the default model gpt-4o." in shown
    flask.text("organizations", "set", seva, "--default-model", "Qwen/Qwen3-8B")
    assert "does not list" not in flask.text(*SET, "--base-url", other_openai.base_url, stdin="EMPTY")


def test_an_address_that_is_not_allowed_is_refused(flask: Commands, seva: str, openai: OpenAIStandIn) -> None:
    sentence = flask.failure(*SET, "--base-url", openai.base_url, stdin=KEY)
    assert sentence.startswith("This server may not send a key to that address.")
    assert "has no key" in flask.failure("credentials", "show", seva)
