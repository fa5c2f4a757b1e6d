"""flask organizations."""

import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.cli.conftest import Commands, OpenCommands


def test_it_creates_an_organization_with_its_first_token(flask_with: OpenCommands) -> None:
    flask = flask_with(public_url="https://gpt.example.org/")
    made = flask.json("organizations", "create", "seva-trust", "--name", "सेवा Trust")
    assert made.pop("webhook_token").startswith("ggw_")
    assert made == {
        "slug": "seva-trust",
        "name": "सेवा Trust",
        "webhook_url": "https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt",
    }
    assert [token["label"] for token in flask.json("tokens", "list", "seva-trust")] == ["first"]


def test_it_says_that_the_token_is_shown_once_and_what_to_do_next(flask: Commands) -> None:
    shown = flask.text("organizations", "create", "seva", "--name", "Seva")
    assert "\n\nwebhook_token: ggw_" in shown
    assert "It cannot be shown again" in shown
    assert "flask credentials set seva open_ai --api-key-stdin" in shown
    token = shown.split("webhook_token: ")[1].split()[0]
    assert token not in flask.text("organizations", "show", "seva") + flask.text("tokens", "list", "seva")


def test_it_refuses_an_existing_or_invalid_slug(flask: Commands, seva: str) -> None:
    for slug, complaint in (
        (seva, "An organization with this slug already exists. Choose another slug."),
        ("Seva Trust", "This slug is not valid"),
        ("", "This slug is not valid"),
        ("a" * 64, "This slug is not valid"),
        ("seva-", "This slug is not valid"),
    ):
        assert flask.failure("organizations", "create", slug, "--name", "Other").startswith(complaint)
    assert flask.failure("organizations", "create", "new", "--name", " ").startswith("name: ")
    assert [row["slug"] for row in flask.json("organizations", "list")] == [seva]
    assert len(flask.json("tokens", "list", seva)) == 1


@pytest.mark.parametrize("slug", ["-", "--json", "-seva", "seva-", "---"])
def test_a_new_slug_has_a_letter_or_digit_first_and_last(flask: Commands, slug: str) -> None:
    sentence = flask.failure("organizations", "create", "--name", "Other", "--", slug)
    assert "with a letter or digit first and last" in sentence
    assert flask.json("organizations", "list") == []


@pytest.mark.parametrize("slug", ["a", "7", "a-1", "a--b", "a" * 63])
def test_a_slug_may_be_one_letter_and_hold_hyphens(flask: Commands, slug: str) -> None:
    assert flask.json("organizations", "create", slug, "--name", "Other")["slug"] == slug


def test_an_organization_with_a_slug_from_before_the_rule_stays_reachable(flask: Commands, seva: str) -> None:
    with flask.app.app_context(), transaction() as session:
        store.find(session, seva).slug = "-seva-"
    assert flask.json("organizations", "list")[0]["slug"] == "-seva-"
    shown = flask.text("organizations", "show", "--", "-seva-")
    assert shown.startswith("slug: -seva-")


def test_it_lists_organizations_and_says_how_to_create_the_first(flask: Commands) -> None:
    assert flask.json("organizations", "list") == []
    assert flask.text("organizations", "list").startswith(
        "No organizations yet. Create one: flask organizations create "
    )
    for slug in ("b", "a"):
        flask.text("organizations", "create", slug, "--name", slug.upper())
    assert [row["name"] for row in flask.json("organizations", "list")] == ["A", "B"]
    assert [line.split()[0] for line in flask.text("organizations", "list").splitlines()] == ["SLUG", "a", "b"]


def test_it_shows_the_defaults_of_unset_settings(flask: Commands, seva: str) -> None:
    shown = flask.text("organizations", "show", seva).splitlines()
    assert shown[:4] == ["slug: seva", "name: Seva Trust", "is_active: yes", "default_model: gpt-4o (the server's)"]
    assert "allowed_models: all that the server allows" in shown
    assert flask.json("organizations", "show", seva)["default_model"] is None


def test_it_deactivates_and_activates_an_organization(flask: Commands, seva: str) -> None:
    assert flask.json("organizations", "deactivate", seva)["is_active"] is False
    assert flask.json("organizations", "show", seva)["is_active"] is False
    assert "is inactive" in flask.text("organizations", "deactivate", seva)
    assert flask.json("organizations", "activate", seva)["is_active"] is True
    assert flask.text("organizations", "activate", seva) == "seva is active. Its calls are answered.\n"
