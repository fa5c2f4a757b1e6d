"""flask organizations set."""

import pytest

from tests.cli.conftest import Commands

SET = {
    "default_model": ("gpt-4o-mini", "gpt-4o-mini"),
    "fallback_model": ("gpt-4.1-mini", "gpt-4.1-mini"),
    "fallback_message": ("क्षमा करें", "क्षमा करें"),
    "glific_organization_id": ("42", 42),
    "contact_daily_limit": ("20", 20),
    "calls_per_minute": ("600", 600),
    "contact_calls_per_minute": ("10", 10),
    "monthly_budget_usd": ("12.50", 12.5),
    "vector_store_id": (" vs_abc123", "vs_abc123"),
    "memory_hours": ("48", 48),
    "time_zone": (" Asia/Kolkata", "Asia/Kolkata"),
    "alert_email": (" Alerts@EXAMPLE.org", "Alerts@example.org"),
}


@pytest.mark.parametrize("field", SET)
def test_it_sets_a_setting_and_resets_it(flask: Commands, seva: str, field: str) -> None:
    before = flask.json("organizations", "show", seva)
    typed, kept = SET[field]
    option = field.replace("_", "-")
    assert flask.json("organizations", "set", seva, f"--{option}", typed) == before | {field: kept}
    assert flask.json("organizations", "set", seva, "--name", "Seva") == before | {field: kept, "name": "Seva"}
    assert flask.json("organizations", "set", seva, f"--no-{option}") == before | {"name": "Seva"}


def test_it_sets_several_settings(flask: Commands, seva: str) -> None:
    options = [f"--{field.replace('_', '-')}={typed}" for field, (typed, _) in SET.items()]
    changed = flask.json("organizations", "set", seva, *options, "--require-signature")
    assert changed["require_signature"] is True
    assert {field: changed[field] for field in SET} == {field: kept for field, (_, kept) in SET.items()}


def test_it_switches_the_download_of_images(flask: Commands, seva: str) -> None:
    assert flask.json("organizations", "show", seva)["fetch_images"] is False
    assert flask.json("organizations", "set", seva, "--fetch-images")["fetch_images"] is True
    assert flask.json("organizations", "set", seva, "--name", "Seva")["fetch_images"] is True
    assert flask.json("organizations", "set", seva, "--no-fetch-images")["fetch_images"] is False


def test_it_warns_if_a_signature_is_required_without_a_phrase(flask: Commands, seva: str) -> None:
    assert "All calls are refused" in flask.text("organizations", "set", seva, "--require-signature")
    flask.text("signature", "set", seva, "--phrase-stdin", stdin="a phrase of theirs")
    assert "All calls are refused" not in flask.text("organizations", "show", seva)
    assert flask.json("organizations", "set", seva, "--no-require-signature")["require_signature"] is False


def test_it_warns_about_a_budget_of_zero(flask: Commands, seva: str) -> None:
    warning = "All calls are refused, because the monthly budget is 0."
    assert warning in flask.text("organizations", "set", seva, "--monthly-budget-usd", "0")
    assert warning not in flask.text("organizations", "set", seva, "--monthly-budget-usd", "1")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--default-model", "whisper-1"),
        ("--default-model", "two words"),
        ("--fallback-model", "tts-1"),
        ("--fallback-message", " "),
        ("--fallback-message", "x" * 4097),
        ("--fallback-message", "\u200b\u2060"),
        ("--glific-organization-id", "0"),
        ("--contact-daily-limit", "0"),
        ("--contact-daily-limit", "10001"),
        ("--monthly-budget-usd", "-1"),
        ("--monthly-budget-usd", "lots"),
        ("--vector-store-id", "asst_abc123"),
        ("--vector-store-id", "vs_with blank"),
        ("--memory-hours", "0"),
        ("--memory-hours", "169"),
        ("--alert-email", "nobody"),
        ("--time-zone", "Asia/Pune"),
        ("--time-zone", "../UTC"),
        ("--time-zone", "localtime"),
        ("--name", ""),
    ],
)
def test_an_invalid_value_changes_nothing(flask: Commands, seva: str, option: str, value: str) -> None:
    before = flask.json("organizations", "show", seva)
    sentence = flask.failure("organizations", "set", seva, "--require-signature", option, value)
    assert sentence.startswith(option.strip("-").replace("-", "_") + ": ")
    assert flask.json("organizations", "show", seva) == before


def test_it_requires_options_that_do_not_contradict_each_other(flask: Commands, seva: str) -> None:
    assert flask.failure("organizations", "set", seva, code=2).startswith("Give at least one option")
    both = ["--default-model", "gpt-4o", "--no-default-model"]
    assert flask.failure("organizations", "set", seva, *both, code=2) == (
        "Give --default-model or --no-default-model, not both."
    )


def test_the_fallback_model_must_be_allowed(flask: Commands, seva: str) -> None:
    flask.text("models", "allow", seva, "gpt-4o*")
    sentence = flask.failure("organizations", "set", seva, "--fallback-model", "gpt-4.1-mini")
    assert sentence.startswith("fallback_model: This organization's list of models does not allow gpt-4.1-mini.")
    assert flask.json("organizations", "show", seva)["fallback_model"] is None
