"""Commands never print keys and phrases, even if they fail."""

from pathlib import Path

import pytest

from tests.cli.conftest import Commands, OpenCommands
from tests.support.openai_answers import answer
from tests.support.openai_errors import missing_scopes, refuse_key, server_error
from tests.support.openai_exchange import Behaviour
from tests.support.openai_stand_in import OpenAIStandIn

KEY = "sk-proj-Q7hVx2mZ9rTtLw4bN8cK"
PHRASE = "monsoon lantern 4711"
SET_KEY = ("credentials", "set", "seva", "open_ai", "--api-key-stdin")
SET_PHRASE = ("signature", "set", "seva", "--phrase-stdin")
AFTER = (
    ("credentials", "show", "seva"),
    ("credentials", "deactivate", "seva", "open_ai"),
    ("credentials", "activate", "seva", "open_ai"),
    ("credentials", "rotate"),
    ("organizations", "show", "seva"),
    ("models", "list", "seva"),
    ("signature", "clear", "seva"),
)


def assert_no_secret_was_printed(flask: Commands) -> None:
    assert flask.printed
    for secret in (KEY, KEY[:12], KEY[-12:], PHRASE, PHRASE[:8]):
        assert secret not in flask.printed


@pytest.mark.parametrize("behaviour", [answer(), refuse_key(), missing_scopes(), server_error()])
def test_it_never_prints_a_key_or_a_phrase(
    flask: Commands, seva: str, openai: OpenAIStandIn, behaviour: Behaviour
) -> None:
    openai.for_models(behaviour)
    for more in ([], ["--json"], ["--inactive", "--no-verify"]):
        flask.run(*SET_KEY, *more, stdin=KEY)
    flask.text(*SET_PHRASE, stdin=PHRASE)
    flask.json(*SET_PHRASE, stdin=PHRASE)
    for command in AFTER:
        flask.text(*command)
        flask.json(*command)
    assert_no_secret_was_printed(flask)


@pytest.mark.parametrize(("before", "after"), [("", " x"), ("", "\x00"), (" \n", "\n\nmore"), ("é", "")])
def test_it_never_prints_a_refused_value(flask: Commands, seva: str, before: str, after: str) -> None:
    flask.failure(*SET_KEY, stdin=before + KEY + after)
    flask.failure("credentials", "set", "nobody", "open_ai", "--api-key-stdin", stdin=KEY)
    flask.failure("credentials", "set", seva, "nope", "--api-key-stdin", stdin=KEY)
    flask.failure(*SET_PHRASE, stdin=PHRASE * 100)
    flask.failure("signature", "set", "nobody", "--phrase-stdin", stdin=PHRASE)
    flask.failure(*SET_PHRASE, stdin=PHRASE.encode() + b"\xff")
    assert_no_secret_was_printed(flask)


def test_it_never_prints_secrets_if_the_database_fails(flask_with: OpenCommands, tmp_path: Path) -> None:
    for url in ("sqlite:////no-such-folder/x.db", f"sqlite:///{tmp_path}/empty.db"):
        flask = flask_with(database_url=url)
        flask.failure(*SET_KEY, "--no-verify", stdin=KEY)
        flask.failure(*SET_PHRASE, stdin=PHRASE)
        assert_no_secret_was_printed(flask)
