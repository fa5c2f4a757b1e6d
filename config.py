"""Reads the environment, and nothing else does: load() turns it into Settings."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from glific_gpt.errors import SettingsError
from glific_gpt.settings import PREFIX, Settings

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"
LAST_PORT = 65535
SECRETS = ("secret_key", "encryption_keys")
RUNNING = "running.json"
CHOSEN = ("openai_base_url", "public_url")
"""What `make run` chooses anew each time: the sandbox's port, and its own."""


def load(environ: Mapping[str, str] = os.environ, *, instance: Path | None = INSTANCE) -> Settings:
    """The settings that the environment holds.

    Where it names no database and no secret, the embedded defaults of `make run` are meant, whose secrets
    are files in `instance`; `instance=None` reads the environment alone. While `make run` runs, its addresses are
    meant as well.

    Raises SettingsError with one sentence that says which variable to mend.
    """
    values = _named(environ)
    if instance is not None and not values.keys() & {"database_url", *SECRETS}:
        values = _running(instance) | values | _instance_secrets(instance)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None


def limit_name_resolution() -> None:
    """Without this a name server that is down could hold a call for longer than Glific waits (resolv.conf(5))."""
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")


def openai_api_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """The key that `make run` gives to the demo organization, if there is one."""
    return environ.get("OPENAI_API_KEY", "").strip() or None


def local_port(environ: Mapping[str, str] = os.environ) -> str:
    """The port that `make run` listens on. Raises SettingsError."""
    port = environ.get("PORT", "").strip() or "8000"
    if not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
        raise SettingsError(f"PORT is a number from 1 to {LAST_PORT}, such as 8080.")
    return port


def make_instance_secrets(instance: Path = INSTANCE) -> None:
    """Makes the secrets of `make run` once, readable by this user alone; those that exist stay."""
    from cryptography.fernet import Fernet  # not for servers, which have theirs from the environment

    instance.mkdir(mode=0o700, exist_ok=True)
    write_secret(instance / "secret_key", secrets.token_hex(32))
    write_secret(instance / "encryption_keys", Fernet.generate_key().decode())


def write_secret(path: Path, value: str, *, replace: bool = False) -> None:
    """Writes a file that only this user can read; one that exists stays, unless it is to be replaced."""
    if path.exists() and not replace:
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(value + "\n")
    part.replace(path)


@contextmanager
def running(settings: Settings, instance: Path = INSTANCE) -> Iterator[None]:
    """While inside, commands in other terminals know where this process runs, and which OpenAI it asks."""
    chosen = {name: getattr(settings, name) for name in CHOSEN}
    write_secret(instance / RUNNING, json.dumps(chosen | {"process": os.getpid()}), replace=True)
    try:
        yield
    finally:
        (instance / RUNNING).unlink(missing_ok=True)


def _named(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of ours, by the name of their field; a <VARIABLE>_FILE is read."""
    values: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        field = variable.removeprefix(PREFIX).lower()
        if field.endswith("_file"):
            if environ.get(variable.removesuffix("_FILE"), "").strip():
                raise SettingsError(f"Both {variable.removesuffix('_FILE')} and {variable} are set: set one of them.")
            field, value = field.removesuffix("_file"), _read(variable, value)  # noqa: PLW2901
        if field not in Settings.model_fields:
            raise SettingsError(_unknown(variable))
        if value.strip():
            values[field] = value.strip()
    return values


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{variable} names a file that cannot be read.") from None


def _instance_secrets(instance: Path) -> dict[str, str]:
    return {name: _read(name, str(instance / name)).strip() for name in SECRETS if (instance / name).exists()}


def _running(instance: Path) -> dict[str, str]:
    """What the process chose that runs now; nothing of one that was killed."""
    try:
        told = json.loads((instance / RUNNING).read_text())
        os.kill(told["process"], 0)
        return {name: told[name] for name in CHOSEN}
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return {}


def _unknown(variable: str) -> str:
    names = [name.upper() for name in Settings.model_fields]
    close = get_close_matches(variable.removeprefix(PREFIX), names, n=1)
    hint = f" Did you mean {PREFIX}{close[0]}?" if close else ""
    return f"{variable} is not a setting.{hint}"


def _sentence(error: ValidationError) -> str:
    """What is wrong with the first variable; never its value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    variable = PREFIX + str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{variable} is not set: it is a secret that the server needs (the README says how to make it)."
    if variable == PREFIX + "ENCRYPTION_KEYS":
        return f"{variable} is not a comma-separated list of Fernet keys."
    return f"{variable} is wrong: {first['msg'].removeprefix('Value error, ')}."
