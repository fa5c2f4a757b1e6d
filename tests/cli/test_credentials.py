"""flask credentials set, show, activate, deactivate."""

from tests.cli.conftest import Commands
from tests.support.openai_errors import refuse_key, server_error
from tests.support.openai_stand_in import OpenAIStandIn

KEY = "sk-proj-seva-0123456789-wxyz"
SET = ("credentials", "set", "seva", "open_ai", "--api-key-stdin")


def test_it_saves_a_key_that_openai_accepts(flask: Commands, seva: str, openai: OpenAIStandIn) -> None:
    saved = flask.json(*SET, stdin=KEY + "\n")
    assert saved.pop("updated_at")
    assert saved.pop("verified_at").endswith("Z")
    assert saved == {"provider": "open_ai", "is_active": True, "last4": "wxyz"}
    assert [request.api_key for request in openai.requests] == [KEY]
    assert flask.json("credentials", "show", seva)["last4"] == "wxyz"


def test_it_saves_nothing_when_openai_refuses_the_key_or_cannot_be_asked(
    flask: Commands, seva: str, openai: OpenAIStandIn
) -> None:
    flask.text(*SET, stdin=KEY)
    before = flask.json("credentials", "show", seva)
    for behaviour in (refuse_key(), server_error(500)):
        openai.for_models(behaviour)
        sentence = flask.failure(*SET, stdin="sk-proj-other-0123456789-abcd")
        assert sentence.startswith("Nothing was saved. OpenAI ")
    assert flask.json("credentials", "show", seva) == before


def test_it_saves_a_key_unasked_and_switched_off_when_told_to(
    flask: Commands, seva: str, openai: OpenAIStandIn
) -> None:
    saved = flask.json(*SET, "--inactive", "--no-verify", stdin=KEY)
    assert (saved["is_active"], saved["verified_at"]) == (False, None)
    assert openai.requests == []
    assert f"flask credentials activate {seva} open_ai" in flask.text(*SET, "--inactive", stdin=KEY)


def test_it_switches_a_key_off_and_on(flask: Commands, seva: str) -> None:
    flask.text(*SET, stdin=KEY)
    assert flask.json("credentials", "deactivate", seva, "open_ai")["is_active"] is False
    assert flask.json("credentials", "show", seva)["is_active"] is False
    assert "ends in wxyz is switched on" in flask.text("credentials", "activate", seva, "open_ai")
    assert flask.json("credentials", "show", seva)["is_active"] is True


def test_it_says_that_there_is_no_key(flask: Commands, seva: str) -> None:
    assert "has no key" in flask.failure("credentials", "show", seva)
    assert "has no key" in flask.failure("credentials", "activate", seva, "open_ai")


def test_it_knows_its_providers(flask: Commands, seva: str) -> None:
    sentence = "There is no provider of that name; there is open_ai."
    assert flask.failure("credentials", "set", seva, "nope", "--api-key-stdin", stdin=KEY) == sentence
    assert flask.failure("credentials", "deactivate", seva, "nope") == sentence


def test_it_takes_a_key_from_standard_input_alone(flask: Commands, seva: str) -> None:
    assert flask.failure("credentials", "set", seva, "open_ai", stdin=KEY, code=2) == (
        "Missing option '--api-key-stdin'."
    )
    flask.failure(*SET, KEY, code=2)
    assert "has no key" in flask.failure("credentials", "show", seva)


def test_it_refuses_what_is_not_a_key(flask: Commands, seva: str) -> None:
    for typed in ("", "sk", "sk-proj two words", "sk-proj-ключ-0123456789"):
        assert "not an OpenAI key" in flask.failure(*SET, stdin=typed)
    assert "not text in UTF-8" in flask.failure(*SET, stdin=b"sk-proj-\xff\xfe")
