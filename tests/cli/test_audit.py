"""flask audit."""

from tests.cli.conftest import Commands


def test_it_lists_changes_newest_first(flask: Commands, seva: str) -> None:
    flask.text("models", "server", "gpt-*")
    newest, token, made = flask.json("audit", "list")
    assert newest.pop("at").endswith("Z")
    assert newest == {
        "id": 3,
        "organization": None,
        "actor": "command line",
        "action": "server_models_allowed",
        "detail": {"patterns": ["gpt-*"]},
    }
    assert (token["action"], token["detail"]) == ("token_created", {"token": 1, "label": "first"})
    assert (made["action"], made["organization"]) == ("organization_created", seva)


def test_it_lists_the_changes_of_one_organization(flask: Commands, seva: str) -> None:
    flask.text("organizations", "create", "other", "--name", "Other")
    assert {row["organization"] for row in flask.json("audit", "list")} == {seva, "other"}
    assert [row["id"] for row in flask.json("audit", "list", seva)] == [2, 1]
    for unknown in ("nobody", ""):
        assert flask.failure("audit", "list", unknown).endswith((" Check the slug.", " Check the name."))


def test_it_prints_changes_as_a_table(flask: Commands, seva: str) -> None:
    flask.text("organizations", "set", seva, "--default-model", "gpt-4.1")
    head, newest, *older = flask.text("audit", "list", seva).splitlines()
    assert head.split() == ["ID", "TIME", "(UTC)", "ORGANIZATION", "ACTOR", "ACTION", "DETAILS"]
    assert "seva" in newest
    assert newest.endswith('command line  organization_changed  changed: ["default_model"], default_model: gpt-4.1')
    assert len(older) == 2


def test_it_lists_in_pages(flask: Commands, seva: str) -> None:
    flask.text("tokens", "create", seva, "--label", "third")
    shown = flask.text("audit", "list", "--limit", "2")
    assert shown.endswith("Older entries: add --before 2\n")
    assert [row["id"] for row in flask.json("audit", "list", "--limit", "2")] == [3, 2]
    assert [row["id"] for row in flask.json("audit", "list", "--limit", "2", "--before", "2")] == [1]


def test_it_says_that_there_are_no_changes(flask: Commands) -> None:
    assert flask.json("audit", "list") == []
    assert flask.text("audit", "list") == "No changes are recorded yet.\n"
