"""flask models."""

import pytest

from tests.cli.conftest import Commands, OpenCommands
from tests.support.openai_stand_in import OpenAIStandIn


@pytest.fixture
def keyed(flask: Commands, seva: str, openai: OpenAIStandIn) -> str:
    """The slug of an organization with a key that can use five models."""
    openai.models = ["gpt-4o", "gpt-4o-mini", "gpt-5", "whisper-1", "gpt-4o-mini-tts"]
    key = "sk-proj-seva-0123456789-wxyz"
    flask.text("credentials", "set", seva, "open_ai", "--api-key-stdin", stdin=key)
    return seva


def allowed(flask: Commands, slug: str) -> set[str]:
    return {row["id"] for row in flask.json("models", "list", slug) if row["allowed"]}


def test_it_lists_the_models_of_the_key_with_kind_permission_and_prices(flask: Commands, keyed: str) -> None:
    rows = {row["id"]: row for row in flask.json("models", "list", keyed)}
    assert rows.keys() == {"gpt-4o", "gpt-4o-mini", "gpt-5", "whisper-1", "gpt-4o-mini-tts"}
    assert rows["gpt-4o"] == {
        "id": "gpt-4o",
        "kind": "text",
        "allowed": True,
        "reason": None,
        "input_usd_per_million_tokens": 2.5,
        "output_usd_per_million_tokens": 10.0,
        "reads_pictures": True,
        "searches_files": True,
    }
    speech = rows["gpt-4o-mini-tts"]
    assert (speech["kind"], speech["allowed"]) == ("speech", False)
    assert "Only text models" in speech["reason"]


def test_it_can_list_only_text_models(flask: Commands, keyed: str) -> None:
    assert [row["id"] for row in flask.json("models", "list", keyed, "--text")] == ["gpt-4o", "gpt-4o-mini", "gpt-5"]


def test_it_prints_an_aligned_table(flask: Commands, keyed: str) -> None:
    head, *rows = flask.text("models", "list", keyed).splitlines()
    assert len(rows) == 5
    kind, why = head.index("KIND"), head.index("REASON")
    assert all(row[kind - 1] == " " and row[kind] != " " and row[why - 1] == " " for row in rows)


def test_it_lists_all_known_models_without_a_key(flask: Commands, seva: str) -> None:
    assert "gpt-4o" in allowed(flask, seva)
    assert "no verified key" in flask.text("models", "list", seva)


def test_it_replaces_the_list_and_counts_the_matching_text_models(flask: Commands, keyed: str) -> None:
    shown = flask.text("models", "allow", keyed, "GPT-4o*", "gpt-4o*")
    assert shown == "allowed_models: gpt-4o*\n2 of the 3 text models of the key are allowed.\n"
    assert allowed(flask, keyed) == {"gpt-4o", "gpt-4o-mini"}
    assert flask.json("models", "allow", keyed, "gpt-5")["allowed_models"] == ["gpt-5"]
    assert allowed(flask, keyed) == {"gpt-5"}


def test_it_allows_none_and_then_all_again(flask: Commands, keyed: str) -> None:
    assert flask.json("models", "allow", keyed, "--none")["allowed_models"] == []
    assert allowed(flask, keyed) == set()
    assert "allowed_models: none\n" in flask.text("models", "allow", keyed, "--none")
    assert flask.json("models", "allow", keyed, "--all")["allowed_models"] is None
    assert allowed(flask, keyed) == {"gpt-4o", "gpt-4o-mini", "gpt-5"}


def test_it_cannot_allow_more_than_the_operator(flask: Commands, keyed: str, flask_with: OpenCommands) -> None:
    strict = flask_with(models="gpt-5*")
    assert "1 of the 3 text models" in strict.text("models", "allow", keyed, "*")
    assert allowed(strict, keyed) == {"gpt-5"}


def test_it_requires_exactly_one_choice(flask: Commands, keyed: str) -> None:
    for arguments in ([], ["--all", "--none"], ["gpt-5", "--all"], ["gpt-5", "--none"], [""], ["gpt-5", " "]):
        flask.failure("models", "allow", keyed, *arguments, code=2)
    assert flask.failure("models", "allow", keyed, "gpt 5").startswith("allowed_models: ")
    assert "too many stars" in flask.failure("models", "allow", keyed, "*a*b*c*d*e*f")
    assert "at most 200" in flask.failure("models", "allow", keyed, *(f"gpt-{n}" for n in range(201)))
    assert flask.json("organizations", "show", keyed)["allowed_models"] is None


def test_the_servers_list_applies_to_every_organization(flask: Commands, keyed: str) -> None:
    assert flask.json("models", "server") == {"allowed_models": None, "outer_limit": ["*"]}
    assert flask.json("models", "server", "GPT-4o*")["allowed_models"] == ["gpt-4o*"]
    assert allowed(flask, keyed) == {"gpt-4o", "gpt-4o-mini"}
    (refused,) = [row for row in flask.json("models", "list", keyed) if row["id"] == "gpt-5"]
    assert refused["reason"] == "The administrators of this server do not allow gpt-5. Choose another model."
    assert flask.json("models", "server", "--none")["allowed_models"] == []
    assert allowed(flask, keyed) == set()
    assert flask.json("models", "server", "--all")["allowed_models"] is None
    assert allowed(flask, keyed) == {"gpt-4o", "gpt-4o-mini", "gpt-5"}


def test_the_servers_list_cannot_allow_more_than_the_environment(
    flask: Commands, keyed: str, flask_with: OpenCommands
) -> None:
    strict = flask_with(models="gpt-5*,o3")
    shown = strict.text("models", "server", "*")
    assert shown == "allowed_models: *\nGLIFIC_GPT_MODELS: gpt-5*, o3\n"
    assert allowed(strict, keyed) == {"gpt-5"}
    strict.text("models", "server", "gpt-4o*")
    assert allowed(strict, keyed) == set()


def test_it_shows_the_servers_list_and_changes_nothing(flask: Commands, keyed: str) -> None:
    flask.text("models", "server", "gpt-4o*")
    for _ in range(2):
        assert flask.text("models", "server") == "allowed_models: gpt-4o*\nGLIFIC_GPT_MODELS: *\n"
    for arguments in (["--all", "--none"], ["gpt-5", "--all"], [""]):
        flask.failure("models", "server", *arguments, code=2)
    assert flask.failure("models", "server", "gpt 5").startswith("allowed_models: ")
    assert flask.json("models", "server")["allowed_models"] == ["gpt-4o*"]
