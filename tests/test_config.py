"""config.load(): settings from the environment, and the errors that name the variable to correct."""

import stat
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

import config
from glific_gpt.errors import SettingsError
from glific_gpt.settings import Settings

FIRST, SECOND = (urlsafe_b64encode(bytes([number] * 32)).decode() for number in (1, 2))
"""Fernet keys. They are part of test names, which must be the same in every pytest-xdist process."""
REQUIRED = {"GLIFIC_GPT_SECRET_KEY": "made-up-for-tests", "GLIFIC_GPT_ENCRYPTION_KEYS": FIRST}


def load(**variables: str) -> Settings:
    """Load without the files of `make run`."""
    return config.load(REQUIRED | {f"GLIFIC_GPT_{name}": value for name, value in variables.items()}, instance=None)


def error_of(environ: dict[str, str], instance: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        config.load(environ, instance=instance)
    return str(caught.value)


def test_every_setting_but_the_secrets_has_a_default() -> None:
    settings = load()
    assert settings.database_url == "sqlite:///instance/glific_gpt.db"
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert (settings.default_model, settings.models) == ("gpt-4o", ("*",))
    assert settings.deadline_seconds == 4.5
    assert (settings.public_url, settings.bind) == ("http://127.0.0.1:8000", "127.0.0.1:8000")
    assert (settings.processes, settings.max_in_flight, settings.organization_share) == (1, 1000, 0.5)
    assert (settings.max_connections, settings.max_connections_per_address) == (10_000, 2000)
    assert settings.openai_hosts == ("api.openai.com", "*.api.openai.com")
    assert (settings.worker, settings.glific_hosts) == ("inline", ("*.glific.com",))
    assert (settings.log_level, settings.idle_timeout_minutes) == ("info", 120)
    assert settings.keep_calls_days == 400
    assert (settings.default_time_zone, settings.chosen_time_zone) == ("UTC", None)
    assert not settings.sandbox


def test_it_reads_the_environment() -> None:
    settings = load(
        DATABASE_URL="postgresql+psycopg://me@db/x",
        ENCRYPTION_KEYS=f" {FIRST} , {SECOND},",
        OPENAI_BASE_URL="http://127.0.0.1:9/v1/",
        MODELS="GPT-4o*, o3",
        DEADLINE_SECONDS="2.5",
        PROCESSES=" 4 ",
        WORKER="separate",
        LOG_LEVEL="WARNING",
        GLIFIC_HOSTS="*.glific.com,127.0.0.1",
    )
    assert settings.database_url == "postgresql+psycopg://me@db/x"
    assert [key.get_secret_value() for key in settings.encryption_keys] == [FIRST, SECOND]
    assert settings.openai_base_url == "http://127.0.0.1:9/v1"
    assert settings.models == ("gpt-4o*", "o3")
    assert (settings.deadline_seconds, settings.processes, settings.worker) == (2.5, 4, "separate")
    assert settings.glific_hosts == ("*.glific.com", "127.0.0.1")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load(DEFAULT_MODEL="", BIND="  ").default_model == "gpt-4o"


def test_variables_without_the_prefix_are_ignored() -> None:
    others = {"SECRET_KEY": "x", "DATABASE_URL": "x", "glific_gpt_models": "x", "OPENAI_API_KEY": "sk-x"}
    assert config.load(REQUIRED | others, instance=None) == load()


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL"])
def test_a_value_can_be_read_from_a_file(tmp_path: Path, name: str) -> None:
    values = REQUIRED | {"GLIFIC_GPT_DATABASE_URL": "postgresql+psycopg://me:secret@db/x"}
    (tmp_path / "secret").write_text(values[f"GLIFIC_GPT_{name}"] + "\n")
    known = {variable: value for variable, value in values.items() if not variable.endswith(name)}
    named = known | {f"GLIFIC_GPT_{name}_FILE": str(tmp_path / "secret")}
    assert config.load(named, instance=None) == config.load(values, instance=None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_the_error_for_an_unreadable_file_names_its_variable(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    key = {"GLIFIC_GPT_ENCRYPTION_KEYS": FIRST}
    message = error_of(key | {"GLIFIC_GPT_SECRET_KEY_FILE": str(tmp_path / "secret")})
    assert message == "GLIFIC_GPT_SECRET_KEY_FILE names a file that cannot be read. Check its path and permissions."


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("GLIFIC_GPT_MODEL", "GLIFIC_GPT_MODEL is not a setting. Did you mean GLIFIC_GPT_MODELS?"),
        ("GLIFIC_GPT_MODELS_FIEL", "GLIFIC_GPT_MODELS_FIEL is not a setting. Did you mean GLIFIC_GPT_MODELS?"),
        ("GLIFIC_GPT_", "GLIFIC_GPT_ is not a setting."),
        ("GLIFIC_GPT_XYZZY_PLUGH_FROTZ", "GLIFIC_GPT_XYZZY_PLUGH_FROTZ is not a setting."),
    ],
)
def test_an_unknown_variable_is_refused(variable: str, message: str) -> None:
    assert error_of(REQUIRED | {variable: "x"}) == message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("OPENAI_BASE_URL", "api.openai.com"),
        ("PUBLIC_URL", "ftp://x"),
        ("MODELS", "gpt 4o"),
        ("MODELS", "*a*b*c*d*e*f"),
        ("MODELS", ",".join(f"gpt-{n}" for n in range(201))),
        ("DEADLINE_SECONDS", "0"),
        ("DEADLINE_SECONDS", "soon"),
        ("DEADLINE_SECONDS", "nan"),
        ("DEFAULT_MODEL", "gpt 4o"),
        ("DEFAULT_TIME_ZONE", "Asia/Pune"),
        ("DEFAULT_TIME_ZONE", "../etc/passwd"),
        ("BIND", "8000"),
        ("BIND", "::1:8000"),
        ("BIND", "[localhost]:8000"),
        ("PROCESSES", "0"),
        ("PROCESSES", "many"),
        ("MAX_IN_FLIGHT", "-1"),
        ("MAX_CONNECTIONS", "0"),
        ("MAX_CONNECTIONS_PER_ADDRESS", "0"),
        ("ORGANIZATION_SHARE", "0"),
        ("ORGANIZATION_SHARE", "1.1"),
        ("WORKER", "elsewhere"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_the_error_for_an_invalid_value_names_its_variable(name: str, value: str) -> None:
    message = error_of(REQUIRED | {f"GLIFIC_GPT_{name}": value})
    assert message.startswith(f"GLIFIC_GPT_{name} is not valid: ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("value", [",", "x", f"{FIRST},x", FIRST[:-2], f"{FIRST};{SECOND}"])
def test_an_invalid_encryption_key_is_refused(value: str) -> None:
    message = error_of(REQUIRED | {"GLIFIC_GPT_ENCRYPTION_KEYS": value})
    assert (
        message
        == "GLIFIC_GPT_ENCRYPTION_KEYS is not a comma-separated list of Fernet keys. The README shows how to make one."
    )


@pytest.mark.parametrize("missing", REQUIRED)
def test_the_error_for_a_missing_secret_names_its_variable(missing: str) -> None:
    present = {variable: value for variable, value in REQUIRED.items() if variable != missing}
    assert error_of(present).startswith(f"{missing} is not set. ")


def test_the_secrets_of_make_run_are_used_if_the_environment_sets_none(tmp_path: Path) -> None:
    config.make_instance_secrets(tmp_path / "instance")
    settings = config.load({"GLIFIC_GPT_DEFAULT_MODEL": "gpt-4o-mini"}, instance=tmp_path / "instance")
    assert settings.secret_key.get_secret_value() == (tmp_path / "instance" / "secret_key").read_text().strip()
    assert settings.default_model == "gpt-4o-mini"


@pytest.mark.parametrize(
    ("variable", "value"), [*REQUIRED.items(), ("GLIFIC_GPT_DATABASE_URL", "postgresql+psycopg://me@db/x")]
)
def test_the_secrets_of_make_run_are_never_mixed_with_others(tmp_path: Path, variable: str, value: str) -> None:
    config.make_instance_secrets(tmp_path / "instance")
    assert "is not set. " in error_of({variable: value}, tmp_path / "instance")


def test_the_secrets_of_make_run_are_created_once_and_readable_by_one_user(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    config.make_instance_secrets(instance)
    first = {path.name: path.read_text() for path in instance.iterdir()}
    config.make_instance_secrets(instance)
    assert {path.name: path.read_text() for path in instance.iterdir()} == first
    assert first.keys() == set(config.SECRET_FIELDS)
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in instance.iterdir()} == {0o600}


def test_a_secret_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "token"
    config.write_secret(path, "first")
    config.write_secret(path, "second")
    assert path.read_text() == "first\n"
    config.write_secret(path, "third", replace=True)
    assert path.read_text() == "third\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("environ", "key", "port"),
    [
        ({}, None, "8000"),
        ({"OPENAI_API_KEY": " ", "PORT": ""}, None, "8000"),
        ({"OPENAI_API_KEY": " sk-x\n", "PORT": "8080"}, "sk-x", "8080"),
    ],
)
def test_make_run_reads_the_usual_variables(environ: dict[str, str], key: str | None, port: str) -> None:
    assert config.openai_api_key(environ) == key
    assert config.local_port(environ) == port


def test_a_value_and_a_file_for_the_same_setting_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("another-secret-key")
    both = REQUIRED | {"GLIFIC_GPT_SECRET_KEY_FILE": str(file)}
    assert error_of(both) == (
        "Both GLIFIC_GPT_SECRET_KEY and GLIFIC_GPT_SECRET_KEY_FILE are set. Set only one of them."
    )


@pytest.mark.parametrize("port", ["abc", "0", "65536", "80 80"])
def test_an_invalid_port_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match=r"^PORT is not a port\. Set a number from 1 to 65535"):
        config.local_port({"PORT": port})


def test_commands_use_the_addresses_of_a_running_make_run(tmp_path: Path) -> None:
    config.make_instance_secrets(tmp_path)
    chosen = load(OPENAI_BASE_URL="http://127.0.0.1:9/v1", SANDBOX="true", PUBLIC_URL="http://127.0.0.1:8055")
    with config.published_run_state(chosen, tmp_path):
        found = config.load({}, instance=tmp_path)
        assert found.sandbox
        assert (found.openai_base_url, found.public_url) == ("http://127.0.0.1:9/v1", "http://127.0.0.1:8055")
        overridden = config.load({"GLIFIC_GPT_PUBLIC_URL": "https://gpt.example.org"}, instance=tmp_path)
        assert (overridden.openai_base_url, overridden.public_url) == (
            "http://127.0.0.1:9/v1",
            "https://gpt.example.org",
        )
        assert config.load(REQUIRED, instance=tmp_path).public_url == "http://127.0.0.1:8000"
    assert config.load({}, instance=tmp_path).openai_base_url == "https://api.openai.com/v1"


@pytest.mark.parametrize("left", ["", "[]", "{}", '{"process": "x"}', '{"process": 4194999, "public_url": "http://x"}'])
def test_the_run_state_of_a_killed_make_run_is_ignored(tmp_path: Path, left: str) -> None:
    config.make_instance_secrets(tmp_path)
    (tmp_path / config.RUN_STATE_FILE).write_text(left)
    assert config.load({}, instance=tmp_path).public_url == "http://127.0.0.1:8000"
