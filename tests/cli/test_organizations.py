"""flask organizations."""

from tests.cli.conftest import Commands, Open


def test_it_makes_an_organization_with_its_first_token(flask_with: Open) -> None:
    flask = flask_with(public_url="https://gpt.example.org/")
    made = flask.json("organizations", "create", "seva-trust", "--name", "सेवा Trust")
    assert made.pop("webhook_token").startswith("ggw_")
    assert made == {
        "slug": "seva-trust",
        "name": "सेवा Trust",
        "webhook_url": "https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt",
    }
    assert [token["label"] for token in flask.json("tokens", "list", "seva-trust")] == ["first"]


def test_it_tells_a_person_what_is_shown_once_and_what_to_do_next(flask: Commands) -> None:
    shown = flask.text("organizations", "create", "seva", "--name", "Seva")
    assert "\n\nwebhook_token: ggw_" in shown
    assert "it cannot be shown again" in shown
    assert "flask credentials set seva open_ai --api-key-stdin" in shown
    token = shown.split("webhook_token: ")[1].split()[0]
    assert token not in flask.text("organizations", "show", "seva") + flask.text("tokens", "list", "seva")


def test_it_refuses_a_slug_that_is_taken_or_cannot_stand_in_an_address(flask: Commands, seva: str) -> None:
    for slug, complaint in (
        (seva, "There is an organization of that slug already."),
        ("Seva Trust", "A slug has 1 to 63"),
        ("", "A slug has 1 to 63"),
        ("a" * 64, "A slug has 1 to 63"),
    ):
        assert flask.failure("organizations", "create", slug, "--name", "Other").startswith(complaint)
    assert flask.failure("organizations", "create", "new", "--name", " ").startswith("name: ")
    assert [row["slug"] for row in flask.json("organizations", "list")] == [seva]
    assert len(flask.json("tokens", "list", seva)) == 1


def test_it_lists_organizations_and_says_what_to_do_when_there_are_none(flask: Commands) -> None:
    assert flask.json("organizations", "list") == []
    assert flask.text("organizations", "list").startswith("No organizations yet. Make one: flask organizations create ")
    for slug in ("b", "a"):
        flask.text("organizations", "create", slug, "--name", slug.upper())
    assert [row["name"] for row in flask.json("organizations", "list")] == ["A", "B"]
    assert [line.split()[0] for line in flask.text("organizations", "list").splitlines()] == ["SLUG", "a", "b"]


def test_it_shows_what_settings_mean_that_are_not_set(flask: Commands, seva: str) -> None:
    shown = flask.text("organizations", "show", seva).splitlines()
    assert shown[:4] == ["slug: seva", "name: Seva Trust", "is_active: yes", "default_model: gpt-4o (the server's)"]
    assert "allowed_models: all that the server allows" in shown
    assert flask.json("organizations", "show", seva)["default_model"] is None


def test_it_switches_an_organization_off_and_on(flask: Commands, seva: str) -> None:
    assert flask.json("organizations", "deactivate", seva)["is_active"] is False
    assert flask.json("organizations", "show", seva)["is_active"] is False
    assert "not active any more" in flask.text("organizations", "deactivate", seva)
    assert flask.json("organizations", "activate", seva)["is_active"] is True
    assert flask.text("organizations", "activate", seva) == "seva is active: its calls are answered.\n"
