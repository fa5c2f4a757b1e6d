"""flask credentials rotate and new-key."""

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
    assert stranger.json("credentials", "rotate") == {"reencrypted": 0, "unreadable": 3}
    assert "remove the other keys" not in stranger.text("credentials", "rotate")
    assert flask_with().json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}


def test_without_secrets_it_does_nothing(flask: Commands) -> None:
    assert flask.json("credentials", "rotate") == {"reencrypted": 0, "unreadable": 0}


def test_each_new_key_is_different_and_needs_no_database(flask_with: OpenCommands) -> None:
    flask = flask_with(database_url="sqlite:////no-such-folder/x.db")
    keys = {flask.text("credentials", "new-key").strip(), flask.json("credentials", "new-key")["key"]}
    assert len(keys) == 2
    for key in keys:
        Fernet(key)
