"""New code and new keys, picked up by a running server: no call is lost."""

import json
from pathlib import Path
from signal import SIGHUP
from typing import Any

from cryptography.fernet import Fernet

import glific_gpt
from tests.support.deferred import wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import copy_project, list_server_processes
from tests.support.serving import ServerProcesses, run_server_processes
from tests.support.settings import ENCRYPTION_KEY
from tests.support.steady_calls import WAIT_SECONDS, steady_calls

NEW_VERSION = "1.2.3-reloaded"
ABORTED = "aborting the restart"


def started_versions(server: ServerProcesses) -> list[str]:
    """Return the version of each process that has started, by the log."""
    events = [json.loads(line) for line in server.program.errors.splitlines()]
    return [event["version"] for event in events if event["event"] == "server_started"]


def reload(server: ServerProcesses) -> None:
    """Send SIGHUP, and wait until all processes are replaced.

    If a process takes more than a minute to start, the server keeps those that it has. Then try again.
    """
    before, attempts = set(list_server_processes(server.program)), 0

    def is_done() -> bool:
        nonlocal attempts
        if server.program.errors.count(ABORTED) == attempts:
            server.program.send(SIGHUP)
            attempts += 1
        return not before & set(list_server_processes(server.program))

    wait_until(is_done, WAIT_SECONDS)


def test_a_reload_picks_up_new_code_and_keys_and_loses_no_call(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    project = copy_project(tmp_path)
    keys = tmp_path / "encryption_keys"
    keys.write_text(ENCRYPTION_KEY)
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url, "processes": 2}
    environ = {"GLIFIC_GPT_ENCRYPTION_KEYS": "", "GLIFIC_GPT_ENCRYPTION_KEYS_FILE": str(keys)}
    with run_server_processes(tmp_path / "log", environ, tree=project, **settings) as server:
        alice = server.add_organization("alice")
        with steady_calls(alice) as calls:
            calls.wait_for(20)
            version = project / "glific_gpt" / "__init__.py"
            version.write_text(version.read_text().replace(glific_gpt.__version__, NEW_VERSION))
            keys.write_text(f"{Fernet.generate_key().decode()},{ENCRYPTION_KEY}")
            reload(server)
            calls.wait_for(20)
    assert not calls.lost(), calls.results
    assert started_versions(server)[:4] == [glific_gpt.__version__] * 2 + [NEW_VERSION] * 2
