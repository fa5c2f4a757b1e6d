"""The glific_gpt server under test: its environment, its organizations, and its start."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.programs import run_program
from benchmarks.targets import WEBHOOK_BODY, SignedTarget, Target
from tests.support.programs import FLASK, ROOT, SERVER, Program, clean_environment, free_port

API_KEY = "sk-proj-benchmark-0000"
ALLOWED_MODEL = "gpt-4o*"
GLIFIC_PHONE = "917834811114"


def build_environment(database_url: str, upstream: str, **settings: object) -> dict[str, str]:
    """Return the environment variables of a server. `settings` overrides settings by their names."""
    defaults: dict[str, object] = {
        "database_url": database_url,
        "openai_base_url": upstream,
        "secret_key": secrets.token_hex(),
        "encryption_keys": Fernet.generate_key().decode(),
        "bind": f"127.0.0.1:{free_port()}",
    }
    return {f"GLIFIC_GPT_{name.upper()}": str(value) for name, value in (defaults | settings).items()}


def webhook_url(environ: dict[str, str], slug: str) -> str:
    return f"http://{environ['GLIFIC_GPT_BIND']}/webhooks/{slug}/parse_via_chat_gpt"


def migrate(environ: dict[str, str], folder: Path = ROOT) -> None:
    run_flask(environ, "db", "upgrade", folder=folder)


def create_organization(
    environ: dict[str, str], *, signed: bool = False, glific_url: str = "", folder: Path = ROOT
) -> Target:
    """Create an organization with an OpenAI key and an allowlist. Return a target with a token or with signatures.

    With `glific_url`, it is connected to a Glific there, without a login. `folder` is the checkout with the code.
    """
    run_command = partial(run_flask, environ, folder=folder)
    slug = f"bench-{secrets.token_hex(4)}"
    created = json.loads(run_command("organizations", "create", slug, "--name", "Bench", "--json"))
    run_command("credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify", stdin=API_KEY)
    run_command("models", "allow", slug, ALLOWED_MODEL)
    if glific_url:
        connect = ("glific", "connect", slug, "--api-url", glific_url, "--phone", GLIFIC_PHONE, "--password-stdin")
        run_command(*connect, "--no-verify", stdin=secrets.token_hex())
    url = webhook_url(environ, slug)
    if not signed:
        return Target(url, {"Authorization": f"Bearer {created['webhook_token']}"}, dict(WEBHOOK_BODY))
    phrase = secrets.token_hex()
    run_command("signature", "set", slug, "--phrase-stdin", stdin=phrase)
    return SignedTarget(url, {}, dict(WEBHOOK_BODY), phrase)


@contextmanager
def run_server(environ: dict[str, str], folder: Path = ROOT) -> Iterator[Program]:
    """Yield the production server of this checkout as soon as it is ready."""
    with run_program(SERVER, f"http://{environ['GLIFIC_GPT_BIND']}/readyz", environ, folder) as program:
        yield program


def run_flask(environ: dict[str, str], *arguments: str, stdin: str = "", folder: Path = ROOT) -> str:
    """Run a command of the server and return its output. Exit with its error if it fails."""
    result = subprocess.run(
        [*FLASK, *arguments],
        cwd=folder,
        env=clean_environment() | environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        sys.exit(result.stderr)
    return result.stdout
