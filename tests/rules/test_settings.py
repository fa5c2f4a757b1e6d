"""Every setting is documented, and no secret setting is shown."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from pydantic import SecretStr

import config
from glific_gpt.database.connection_shares import share_out
from glific_gpt.database.engines import init_engines
from glific_gpt.errors import SettingsError
from glific_gpt.settings import PREFIX, Settings
from tests.support.programs import ROOT

SECRETS = {
    "metrics_token": "a-very-secret-metrics-token",
    "secret_key": "a-very-secret-secret-key",
    "encryption_keys": f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}",
}
TABLE_ROW = re.compile(r"^\|.*?\|.*?\|", re.MULTILINE)


def described() -> dict[str, str]:
    """Return the docstring below each field, which editors show as its description."""
    (definition,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(definition, ast.ClassDef)
    pairs = zip(definition.body, definition.body[1:], strict=False)
    return {
        field.target.id: text.value.value
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def documented() -> set[str]:
    """Return the variables with a row in a table of the README or the documentation."""
    pages = [path for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")) if path.exists()]
    rows = [row for page in pages for row in TABLE_ROW.findall(page.read_text())]
    return {name for row in rows for name in re.findall(rf"`({PREFIX}[A-Z0-9_]+)`", row)}


@pytest.mark.parametrize("field", Settings.model_fields)
def test_a_setting_is_described_where_it_is_defined(field: str) -> None:
    assert described()[field].endswith((".", "new-key", ")'", "token_hex())'"))


@pytest.mark.parametrize("field", Settings.model_fields)
def test_a_setting_is_in_a_table_of_the_documentation(field: str) -> None:
    assert PREFIX + field.upper() in documented()


def test_the_documentation_names_no_unknown_setting() -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert {name.removesuffix("_FILE") for name in documented()} <= known


def test_an_unknown_variable_with_the_prefix_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^GLIFIC_GPT_NO_SUCH_THING is not a setting\."):
        load(no_such_thing="1")


def test_the_settings_do_not_show_a_secret() -> None:
    shown = f"{load()!r} {load()} {load().model_dump()} {load().model_dump_json()}"
    for secret in secrets():
        assert secret not in shown


def test_the_settings_do_not_show_the_database_password() -> None:
    settings = load(database_url="postgresql+psycopg://me:a-password@127.0.0.1/x")
    assert "a-password" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("url", ["a-password@host", "nosuchdatabase://me:a-password@host/x", "sqlite:a-password:x@y:z"])
def test_the_error_for_an_invalid_database_url_does_not_repeat_it(url: str) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}DATABASE_URL is not ") as caught:
        init_engines(Flask("unused"), load(database_url=url).database_url, share_out(20))
    assert "a-password" not in str(caught.value)


def test_a_setting_with_the_name_of_a_secret_is_secret() -> None:
    names = {name for name in Settings.model_fields if re.search("key|secret|password|token|phrase", name)}
    assert names == set(SECRETS)
    assert isinstance(load().secret_key, SecretStr)
    assert all(isinstance(key, SecretStr) for key in load().encryption_keys)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret_key", "s3cr3t"),
        ("encryption_keys", "no-fernet-key-but-secret"),
        ("encryption_keys", f"{SECRETS['encryption_keys']},no-fernet-key-but-secret"),
    ],
)
def test_the_error_for_an_invalid_secret_does_not_repeat_it(field: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(**{field: value})
    for secret in [value, *value.split(","), *secrets()]:
        assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert str(caught.value).startswith(f"{PREFIX}{field.upper()} is ")
    assert str(caught.value).endswith(".")


def load(**variables: str) -> Settings:
    all_variables = SECRETS | variables
    return config.load(
        {PREFIX + name.upper(): value for name, value in all_variables.items()}, instance=Path("/nowhere")
    )


def secrets() -> list[str]:
    return [SECRETS["secret_key"], *SECRETS["encryption_keys"].split(",")]
