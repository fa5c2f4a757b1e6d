"""flask credentials rotate, check, accept-keys and new-key."""

import json

import pytest
from cryptography.fernet import Fernet

from tests.cli.conftest import Commands, OpenCommands
from tests.support.settings import ENCRYPTION_KEY

KEY = "sk-proj-seva-0123456789-wxyz"
NEW = Fernet.generate_key().decode()


def create_secrets(flask: Commands) -> None:
    """Create two organizations with three secrets."""
    for slug in ("seva", "arogya"):
        flask.text("organizations", "create", slug, "--name", slug)
        flask.text("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    flask.text("signature", "set", "seva", "--phrase-stdin", stdin="a phrase of theirs")


def test_it_reencrypts_every_secret_with_the_first_key(flask_with: OpenCommands) -> None:
    create_secrets(flask_with())
    both = flask_with(encryption_keys=f"{NEW},{ENCRYPTION_KEY}")
    assert both.json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}
    alone = flask_with(encryption_keys=NEW)
    assert alone.json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}
    assert "You can remove the other keys" in alone.text("credentials", "rotate")


def test_it_counts_unreadable_secrets_and_leaves_them_unchanged(flask_with: OpenCommands) -> None:
    create_secrets(flask_with())
    stranger = flask_with(encryption_keys=NEW)
    result = stranger.run("credentials", "rotate", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"reencrypted": 0, "unreadable": 3})
    assert result.stderr.startswith("Error: 3 secrets of arogya, seva cannot be decrypted.")
    assert "remove the other keys" not in stranger.run("credentials", "rotate").output
    assert flask_with().json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}


def test_a_check_counts_secrets_and_names_the_organizations_with_unreadable_ones(flask_with: OpenCommands) -> None:
    create_secrets(flask_with())
    assert flask_with().json("credentials", "check") == {"readable": 3, "unreadable": 0, "organizations": []}
    stranger = flask_with(encryption_keys=NEW)
    stranger.run("credentials", "accept-keys", "--yes")
    stranger.text("credentials", "set", "seva", "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    result = stranger.run("credentials", "check", "--json")
    counts = {"readable": 1, "unreadable": 2, "organizations": ["arogya", "seva"]}
    assert (result.exit_code, json.loads(result.stdout)) == (1, counts)
    assert "2 secrets of arogya, seva cannot be decrypted" in result.stderr
    assert flask_with().run("credentials", "check").stdout == "2 secrets can be decrypted.\n"


@pytest.mark.parametrize(
    "command",
    [
        ("credentials", "set", "seva", "open_ai", "--api-key-stdin", "--no-verify"),
        ("signature", "set", "seva", "--phrase-stdin"),
        ("glific", "connect", "seva", "--api-url", "http://127.0.0.1", "--signed"),
    ],
)
def test_no_secret_is_saved_with_other_keys_than_those_of_the_database(
    flask_with: OpenCommands, command: tuple[str, ...]
) -> None:
    create_secrets(flask_with())
    message = flask_with(encryption_keys=NEW).failure(*command, stdin=KEY)
    assert message.startswith("The database was encrypted with other keys")
    assert flask_with().json("credentials", "check")["unreadable"] == 0


def test_after_a_loss_of_the_keys_others_are_accepted_on_request(flask_with: OpenCommands) -> None:
    create_secrets(flask_with())
    stranger = flask_with(encryption_keys=NEW)
    assert stranger.run("credentials", "accept-keys", stdin="n\n").exit_code == 1
    stranger.failure("credentials", "set", "seva", "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    assert stranger.json("credentials", "accept-keys", "--yes") == {"accepted": True}
    stranger.text("credentials", "set", "seva", "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    assert stranger.json("audit", "list")[1]["action"] == "keys_accepted"


def test_without_secrets_it_does_nothing(flask: Commands) -> None:
    assert flask.json("credentials", "rotate") == {"reencrypted": 0, "unreadable": 0}


def test_each_new_key_is_different_and_needs_no_database(flask_with: OpenCommands) -> None:
    flask = flask_with(database_url="sqlite:////no-such-folder/x.db")
    keys = {flask.text("credentials", "new-key").strip(), flask.json("credentials", "new-key")["key"]}
    assert len(keys) == 2
    for key in keys:
        Fernet(key)
