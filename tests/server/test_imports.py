"""A server process, and the supervisor of several, import nothing that their work does not need."""

import json
import subprocess
import sys

from tests.support.programs import ROOT, clean_environment
from tests.support.serving import SECRET_KEY, to_environment
from tests.support.settings import ENCRYPTION_KEY

NOT_IN_A_SUPERVISOR = {"cryptography", "dbos", "flask", "httpx2", "jinja2", "openai", "psycopg", "sqlalchemy"}
NOT_IN_A_SERVER = {
    *("alembic", "flask_migrate", "glific_gpt.cli", "glific_gpt.local", "glific_gpt.operations.backups"),  # commands
    *("prometheus_client", "qrcode", "redis", "zxcvbn"),  # some pages and settings
}
PROGRAM = """
import json, os, sys
import config
from glific_gpt.server import supervisor
imported = [list(sys.modules)]
supervisor.create_asgi_app(config.load())
imported.append(list(sys.modules))
print(json.dumps(imported), flush=True)
os._exit(0)
"""


def test_libraries_of_pages_and_commands_are_imported_at_their_first_use(database_url: str) -> None:
    # Not forked: the process that programs are forked from has imported everything.
    settings = {"database_url": database_url, "secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    environ = clean_environment() | to_environment(**settings, worker="separate")
    output = subprocess.check_output((sys.executable, "-c", PROGRAM), cwd=ROOT, env=environ)  # noqa: S603
    by_supervisor, by_server = map(set, json.loads(output.splitlines()[-1]))
    assert "uvicorn" in by_supervisor
    assert not NOT_IN_A_SUPERVISOR & by_supervisor
    assert "sqlalchemy" in by_server
    assert not NOT_IN_A_SERVER & by_server
