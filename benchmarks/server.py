"""Our server: its settings, its database with one organization, and its start."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from benchmarks.programs import run_program
from benchmarks.targets import WEBHOOK_BODY, SignedTarget, Target
from tests.support.programs import SERVER, Program, clean_environment, free_port

FLASK = str(Path(sys.executable).parent / "flask")
API_KEY = "sk-proj-benchmark-0000"
ALLOWED_MODEL = "gpt-4o*"


def build_environment(database_url: str, upstream: str, **settings: object) -> dict[str, str]:
    """The variables of a server; further settings by their names."""
    known: dict[str, object] = {
        "database_url": database_url,
        "openai_base_url": upstream,
        "secret_key": secrets.token_hex(),
        "encryption_keys": Fernet.generate_key().decode(),
        "bind": f"127.0.0.1:{free_port()}",
    }
    return {f"GLIFIC_GPT_{name.upper()}": str(value) for name, value in (known | settings).items()}


def webhook_url(environ: dict[str, str], slug: str) -> str:
    return f"http://{environ['GLIFIC_GPT_BIND']}/webhooks/{slug}/parse_via_chat_gpt"


def migrate(environ: dict[str, str]) -> None:
    run_flask(environ, "db", "upgrade")


def create_organization(environ: dict[str, str], *, signed: bool = False) -> Target:
    """A new organization with a key and an allowlist, and how it is asked: by token, or signed as Glific does."""
    slug = f"bench-{secrets.token_hex(4)}"
    made = json.loads(run_flask(environ, "organizations", "create", slug, "--name", "Bench", "--json"))
    run_flask(environ, "credentials", "set", slug, "open_ai", "--api-key-stdin", "--no-verify", given=API_KEY)
    run_flask(environ, "models", "allow", slug, ALLOWED_MODEL)
    url = webhook_url(environ, slug)
    if not signed:
        return Target(url, {"Authorization": f"Bearer {made['webhook_token']}"}, dict(WEBHOOK_BODY))
    phrase = secrets.token_hex()
    run_flask(environ, "signature", "set", slug, "--phrase-stdin", given=phrase)
    return SignedTarget(url, {}, dict(WEBHOOK_BODY), phrase)


@contextmanager
def run_server(environ: dict[str, str]) -> Iterator[Program]:
    """The production server, once it is ready."""
    with run_program(SERVER, f"http://{environ['GLIFIC_GPT_BIND']}/readyz", environ) as program:
        yield program


def run_flask(environ: dict[str, str], *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [FLASK, *arguments],
        env=clean_environment() | environ,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout
