"""The handbook: its commands, one after the other, from a fresh copy of the project to the last page."""

import shlex
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import databases
from tests.support.forked_programs import fork_server_of
from tests.support.handbook import Commands, read_commands
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import ROOT, copy_project, free_port, start

TIMEOUT_SECONDS = 900
FORK_CLIENT = ROOT / "tests" / "support" / "fork_client.py"

INSTEAD = {
    "shell": "",  # the script below has done it
    "network": "",  # the packages are installed
    "reload": "",  # tests/journeys/test_reload.py
    "start": "start_server",
    "stop": "stop_server",
    "restart": "stop_server; start_server",
}
"""The commands that the script runs instead of marked ones, which need the network or systemd."""

FUNCTIONS = """
set -euo pipefail
stop_server() { kill "$server"; wait "$server"; }
start_server() {
  .venv/bin/python -m glific_gpt.server 2>> "$log" & server=$!
  until curl -fsS "$url/readyz" > /dev/null 2>&1; do kill -0 "$server"; sleep 0.2; done
}
"""


@pytest.fixture
def postgresql() -> Iterator[str]:
    databases.require_postgresql()
    with databases.postgresql_database() as url:
        yield url


def script(commands: list[Commands], replacements: dict[str, str]) -> str:
    lines = [FUNCTIONS]
    for number, each in enumerate(commands):
        lines.append(f"echo {shlex.quote(f'=== {number}: {each.section}')}")
        lines.append(INSTEAD[each.mark] if each.mark else each.code)
    text = "\n".join([*lines, "stop_server"])
    for written, real in replacements.items():
        text = text.replace(written, real)
    return text


def install_forked_programs(project: Path, control: socket.socket) -> None:
    """Let a fork server run the commands and servers, of which each would import the product otherwise.

    tests/cli/test_executable.py and tests/journeys/test_make_serve.py start them as users do.
    """
    programs = project / ".venv" / "bin"
    (project / ".venv").unlink()
    programs.mkdir(parents=True)
    fork = f"exec {sys.executable} -IS {FORK_CLIENT} {control.fileno()}"
    (programs / "flask").write_text(f'#!/bin/sh\n{fork} glific_gpt "$@"\n')
    (programs / "python").write_text(
        f'#!/bin/sh\nif [ "$1" = -m ]; then shift; {fork} "$@"; fi\nexec {sys.executable} "$@"\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)


def test_each_mark_has_a_reason() -> None:
    assert {each.mark for each in read_commands()} - {""} == set(INSTEAD)


@pytest.mark.timeout(TIMEOUT_SECONDS)
def test_every_command_of_the_handbook_works_in_its_order(
    tmp_path: Path, postgresql: str, openai: OpenAIStandIn
) -> None:
    """It begins on SQLite, restores a backup there, and moves to PostgreSQL."""
    project, url = copy_project(tmp_path), f"http://127.0.0.1:{(port := free_port())}"
    for folder in ("etc", "lib", "backups"):
        (tmp_path / folder).mkdir()
    (tmp_path / "seva-trust.key").write_text("sk-proj-seva-trust-0123456789-abcd\n")
    replacements = {
        "/srv/glific_gpt": str(project),
        "/etc/glific-gpt": f"{tmp_path}/etc/glific-gpt",
        "/var/lib/glific-gpt": f"{tmp_path}/lib",
        "/var/backups": f"{tmp_path}/backups",
        "/root/": f"{tmp_path}/",
        "https://gpt.example.org": url,
        "postgresql+psycopg://glific_gpt@127.0.0.1/glific_gpt": postgresql,
        "GLIFIC_GPT_PROCESSES=2": "GLIFIC_GPT_PROCESSES=1",
    }
    (tmp_path / "script.sh").write_text(script(read_commands(), replacements))
    environ = {"url": url, "log": str(tmp_path / "log"), "GLIFIC_GPT_BIND": f"127.0.0.1:{port}"}
    environ |= {"GLIFIC_GPT_OPENAI_BASE_URL": openai.base_url}
    with fork_server_of(project) as control:
        install_forked_programs(project, control)
        command = ("bash", str(tmp_path / "script.sh"))
        with start(command, tmp_path / "run", environ, project, pass_fds=[control.fileno()]) as program:
            status = program.process.wait(TIMEOUT_SECONDS)
    assert status == 0, f"{program.output[-2000:]}\n{program.errors[-2000:]}"
    assert program.output.count("=== ") == len(read_commands())
