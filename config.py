"""Read the environment into Settings. No other module reads it."""

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
MAX_PORT = 65535
SECRET_FIELDS = ("secret_key", "encryption_keys")
RUN_STATE_FILE = "running.json"
RUN_STATE_FIELDS = ("openai_base_url", "sandbox", "public_url")
"""Settings that `make run` chooses at each start: whether it has a sandbox, its address, and the server's own."""


def load(environ: Mapping[str, str] = os.environ, *, instance: Path | None = INSTANCE) -> Settings:
    """Return the settings of the environment.

    If it sets neither a database nor a secret, the embedded defaults of `make run` apply: the secrets are files in
    `instance`, and while `make run` runs, its addresses are used too. `instance=None` reads the environment alone.

    Raises SettingsError with one sentence that names the variable to correct.
    """
    values: dict[str, str | bool] = {**_read_environment(environ)}
    # A production database must never be written with the secrets of a developer's machine.
    if instance is not None and not values.keys() & {"database_url", *SECRET_FIELDS}:
        values = {**_read_run_state(instance), **values, **_read_instance_secrets(instance)}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_describe_error(error)) from None


def limit_name_resolution() -> None:
    """Shorten the resolver's time-outs: its defaults can block a call for longer than Glific waits (resolv.conf(5))."""
    os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")


def openai_api_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the OpenAI key for the demo organization of `make run`, or None."""
    return environ.get("OPENAI_API_KEY", "").strip() or None


def local_port(environ: Mapping[str, str] = os.environ) -> str:
    """Return the port that `make run` listens on. Raises SettingsError."""
    port = environ.get("PORT", "").strip() or "8000"
    if not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
        raise SettingsError(f"PORT is not a port. Set a number from 1 to {MAX_PORT}, such as 8080.")
    return port


def make_instance_secrets(instance: Path = INSTANCE) -> None:
    """Create the secrets of `make run`, readable by this user alone. Existing ones are kept."""
    from cryptography.fernet import Fernet  # imported here because servers, which read this module, do not need it

    instance.mkdir(mode=0o700, exist_ok=True)
    write_secret(instance / "secret_key", secrets.token_hex(32))
    write_secret(instance / "encryption_keys", Fernet.generate_key().decode())


def write_secret(path: Path, value: str, *, replace: bool = False) -> None:
    """Write a file with mode 0600. An existing file is kept unless `replace` is set."""
    if path.exists() and not replace:
        return
    # The rename is atomic, so that a process that is killed here leaves no half-written secret.
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(value + "\n")
    partial.replace(path)


@contextmanager
def published_run_state(settings: Settings, instance: Path = INSTANCE) -> Iterator[None]:
    """Publish this server's address and OpenAI base URL to commands in other terminals while the block runs."""
    state = {name: getattr(settings, name) for name in RUN_STATE_FIELDS}
    write_secret(instance / RUN_STATE_FILE, json.dumps(state | {"process": os.getpid()}), replace=True)
    try:
        yield
    finally:
        (instance / RUN_STATE_FILE).unlink(missing_ok=True)


def _read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the GLIFIC_GPT_ variables by field name, with the contents of files named by <VARIABLE>_FILE."""
    values: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        field = variable.removeprefix(PREFIX).lower()
        if field.endswith("_file"):
            if environ.get(variable.removesuffix("_FILE"), "").strip():
                raise SettingsError(
                    f"Both {variable.removesuffix('_FILE')} and {variable} are set. Set only one of them."
                )
            field, value = field.removesuffix("_file"), _read_file(variable, value)  # noqa: PLW2901
        if field not in Settings.model_fields:
            raise SettingsError(_describe_unknown_variable(variable))
        if value.strip():
            values[field] = value.strip()
    return values


def _read_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{variable} names a file that cannot be read. Check its path and permissions.") from None


def _read_instance_secrets(instance: Path) -> dict[str, str]:
    return {
        name: _read_file(name, str(instance / name)).strip() for name in SECRET_FIELDS if (instance / name).exists()
    }


def _read_run_state(instance: Path) -> dict[str, str | bool]:
    """Return the settings that the running `make run` chose; empty if its process is not alive."""
    try:
        state = json.loads((instance / RUN_STATE_FILE).read_text())
        os.kill(state["process"], 0)  # signal 0 only checks that the process exists
        return {name: state[name] for name in RUN_STATE_FIELDS}
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return {}


def _describe_unknown_variable(variable: str) -> str:
    names = [name.upper() for name in Settings.model_fields]
    matches = get_close_matches(variable.removeprefix(PREFIX), names, n=1)
    hint = f" Did you mean {PREFIX}{matches[0]}?" if matches else ""
    return f"{variable} is not a setting.{hint}"


def _describe_error(error: ValidationError) -> str:
    """Describe the first invalid variable, without its value, which may be a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    variable = PREFIX + str(first["loc"][0]).upper()
    if first["type"] == "missing":
        return f"{variable} is not set. The server needs this secret; the README shows how to make one."
    if variable == PREFIX + "ENCRYPTION_KEYS":
        return f"{variable} is not a comma-separated list of Fernet keys. The README shows how to make one."
    return f"{variable} is not valid: {first['msg'].removeprefix('Value error, ')}."
