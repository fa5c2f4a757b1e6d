"""flask credentials rotate and new-key."""

from cryptography.fernet import Fernet

from tests.cli.conftest import Commands, Open
from tests.support.settings import ENCRYPTION_KEY

KEY = "sk-proj-seva-0123456789-wxyz"
NEW = Fernet.generate_key().decode()


def fill(flask: Commands) -> None:
    """Two organizations with three secrets."""
    for slug in ("seva", "arogya"):
        flask.text("organizations", "create", slug, "--name", slug)
        flask.text("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify", stdin=KEY)
    flask.text("signature", "set", "seva", "--phrase-stdin", stdin="a phrase of theirs")


def test_it_brings_every_secret_under_the_first_key(flask_with: Open) -> None:
    fill(flask_with())
    both = flask_with(encryption_keys=f"{NEW},{ENCRYPTION_KEY}")
    assert both.json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}
    alone = flask_with(encryption_keys=NEW)
    assert alone.json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}
    assert "The other keys can be taken out" in alone.text("credentials", "rotate")


def test_it_counts_what_no_key_reads_and_leaves_it_as_it_is(flask_with: Open) -> None:
    fill(flask_with())
    stranger = flask_with(encryption_keys=NEW)
    assert stranger.json("credentials", "rotate") == {"reencrypted": 0, "unreadable": 3}
    assert "can be taken out" not in stranger.text("credentials", "rotate")
    assert flask_with().json("credentials", "rotate") == {"reencrypted": 3, "unreadable": 0}


def test_it_has_nothing_to_do_without_secrets(flask: Commands) -> None:
    assert flask.json("credentials", "rotate") == {"reencrypted": 0, "unreadable": 0}


def test_a_new_key_is_made_without_a_database_and_another_each_time(flask_with: Open) -> None:
    flask = flask_with(database_url="sqlite:////no-such-folder/x.db")
    keys = {flask.text("credentials", "new-key").strip(), flask.json("credentials", "new-key")["key"]}
    assert len(keys) == 2
    for key in keys:
        Fernet(key)
