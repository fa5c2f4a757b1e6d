"""flask api-tokens."""

import pytest

from glific_gpt.organizations import tokens
from tests.cli.conftest import Commands


def test_it_creates_tokens_of_an_administrator_and_of_an_organization(flask: Commands, seva: str) -> None:
    admin = flask.json("api-tokens", "create", "--label", "deploy")
    own = flask.json("api-tokens", "create", "--label", "report", "--organization", seva)
    assert admin["token"].startswith("gga_")
    assert {"id", "label", "token"} <= own.keys()
    listed = flask.json("api-tokens", "list")
    assert [(row["id"], row["label"], row["organization"]) for row in listed] == [
        (admin["id"], "deploy", None),
        (own["id"], "report", "seva"),
    ]
    flask.text("api-tokens", "list")
    assert flask.printed.count(admin["token"]) == flask.printed.count(own["token"]) == 1


def test_it_shows_which_organizations_a_token_can_access(flask: Commands, seva: str) -> None:
    assert "organization: all organizations\n" in flask.text("api-tokens", "create", "--label", "a")
    assert "organization: seva\n" in flask.text("api-tokens", "create", "--label", "b", "--organization", seva)


def test_an_empty_or_unknown_organization_does_not_create_an_administrators_token(flask: Commands) -> None:
    flask.failure("api-tokens", "create", "--label", "a", "--organization", "")
    flask.failure("api-tokens", "create", "--label", "a", "--organization", "nobody")
    assert flask.json("api-tokens", "list") == []


def test_it_revokes_a_token(flask: Commands) -> None:
    assert "Create one: flask api-tokens create" in flask.text("api-tokens", "list")
    made = flask.json("api-tokens", "create", "--label", "a")
    assert flask.json("api-tokens", "revoke", str(made["id"])) == {"id": made["id"], "revoked": True}
    assert (
        flask.failure("api-tokens", "revoke", str(made["id"]))
        == f"There is no API token {made['id']}. Check the number in the list of tokens."
    )


def test_it_shows_when_a_token_was_last_used(flask: Commands) -> None:
    flask.text("api-tokens", "create", "--label", "report")
    (listed,) = flask.json("api-tokens", "list")
    assert (listed["last_used_on"], listed["uses_recorded"]) == (None, True)
    assert "never" in flask.text("api-tokens", "list").splitlines()[1]


def test_the_number_of_tokens_of_an_organization_and_of_administrators_is_limited(
    flask: Commands, seva: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f" {tokens.MAX_TOKENS} " in tokens.MSG_TOO_MANY_API_TOKENS
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    for owner in ((), ("--organization", seva)):
        made = flask.json("api-tokens", "create", "--label", "a", *owner)
        assert flask.failure("api-tokens", "create", "--label", "b", *owner) == tokens.MSG_TOO_MANY_API_TOKENS
    flask.text("api-tokens", "revoke", str(made["id"]))
    flask.text("api-tokens", "create", "--label", "b", "--organization", seva)
