"""flask tokens."""

from datetime import date

import pytest
import sqlalchemy as sa

from glific_gpt.database import transaction
from glific_gpt.organizations import tokens
from glific_gpt.organizations.tables import WebhookToken
from tests.cli.conftest import Commands


def test_it_shows_a_new_token_once(flask: Commands, seva: str) -> None:
    made = flask.json("tokens", "create", seva, "--label", " menu flow ")
    assert made.keys() == {"id", "label", "token"}
    assert made["label"] == "menu flow"
    assert made["token"].startswith("ggw_")
    listed = flask.json("tokens", "list", seva)
    assert [(row["id"], row["label"]) for row in listed] == [(1, "first"), (made["id"], "menu flow")]
    assert flask.printed.count(made["token"]) == 1


def test_it_says_that_a_token_is_shown_once(flask: Commands, seva: str) -> None:
    shown = flask.text("tokens", "create", seva, "--label", "menu")
    assert shown.startswith("id: 2\nlabel: menu\n\ntoken: ggw_")
    assert "It cannot be shown again" in shown


def test_it_revokes_only_tokens_of_the_organization(flask: Commands, seva: str) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    assert (
        flask.failure("tokens", "revoke", "other", "1")
        == "This organization has no token 1. Check the number in its list of tokens."
    )
    assert flask.json("tokens", "revoke", seva, "1") == {"id": 1, "revoked": True}
    assert (
        flask.failure("tokens", "revoke", seva, "1")
        == "This organization has no token 1. Check the number in its list of tokens."
    )
    assert flask.json("tokens", "list", seva) == []
    assert "Create one: flask tokens create seva --label" in flask.text("tokens", "list", seva)
    assert len(flask.json("tokens", "list", "other")) == 1


@pytest.mark.parametrize("label", ["", " ", "x" * 101])
def test_it_refuses_an_invalid_label(flask: Commands, seva: str, label: str) -> None:
    assert "1 to 100 characters" in flask.failure("tokens", "create", seva, "--label", label, code=2)


@pytest.mark.parametrize("token_id", ["x", "0", str(2**80)])
def test_it_refuses_an_invalid_id(flask: Commands, seva: str, token_id: str) -> None:
    assert "Invalid value for 'ID'" in flask.failure("tokens", "revoke", seva, token_id, code=2)


def test_it_shows_when_a_token_was_last_used(flask: Commands, seva: str) -> None:
    for label in ("used", "old"):
        flask.text("tokens", "create", seva, "--label", label)
    with flask.app.app_context(), transaction() as session:
        session.execute(sa.update(WebhookToken).where(WebhookToken.id == 2).values(last_used_on=date(2026, 11, 20)))
        session.execute(sa.update(WebhookToken).where(WebhookToken.id == 3).values(uses_recorded=False))
    listed = flask.json("tokens", "list", seva)
    assert [row["last_used_on"] for row in listed] == [None, "2026-11-20", None]
    assert [row["uses_recorded"] for row in listed] == [True, True, False]
    heading, *rows = flask.text("tokens", "list", seva).splitlines()
    assert "LAST USED" in heading
    assert [row.split()[2] for row in rows] == ["never", "2026-11-20", "unknown"]


def test_the_number_of_tokens_is_limited(flask: Commands, seva: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f" {tokens.MAX_TOKENS} " in tokens.MSG_TOO_MANY_TOKENS
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    for command in (("tokens", "create", seva, "--label", "menu"), ("flows", "export", seva, "--mode", "sync")):
        assert flask.failure(*command) == tokens.MSG_TOO_MANY_TOKENS
    assert len(flask.json("tokens", "list", seva)) == 1
