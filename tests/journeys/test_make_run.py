"""`make run` in a fresh copy of the project, from the start to an answer."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest
from flask import Flask

from tests.console.users import ConsoleUser, create_client
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import skip_or_fail
from tests.support.programs import (
    TIMEOUT_SECONDS,
    Program,
    clean_environment,
    copy_project,
    free_port,
    make_command,
    start,
    wait_until_free,
)
from tests.support.server import RunningServer

GENERATED_SECRETS = ("demo_webhook_token", "encryption_keys", "secret_key")
LAST_LINE = "Your data is kept for the next"


@dataclass
class Project:
    """A copy of the project and the port of its server."""

    folder: Path
    port: int

    @contextmanager
    def running(self, **environ: str) -> Iterator[Program]:
        """Run `make run`, and yield the program as soon as it has printed its banner."""
        log = self.folder.parent / f"log{time.monotonic_ns()}"
        with start(make_command("run"), log, {"PORT": str(self.port)} | environ, self.folder) as program:
            until = time.monotonic() + TIMEOUT_SECONDS
            while LAST_LINE not in program.output:
                assert program.process.poll() is None, program.errors
                assert time.monotonic() < until, program.errors
                time.sleep(0.05)
            yield program

    def shell(self, command: str) -> str:
        """Run a command in the project's folder with a clean environment, and return its output."""
        result = subprocess.run(  # noqa: S603 - the command is a constant of the tests
            ["/bin/bash", "-c", command], cwd=self.folder, env=clean_environment(), capture_output=True, check=True
        )
        return result.stdout.decode()

    def secrets(self) -> dict[str, str]:
        return {name: (self.folder / "instance" / name).read_text() for name in GENERATED_SECRETS}

    def calls(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.shell(".venv/bin/flask calls list demo --json"))
        return listed


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(copy_project(tmp_path), free_port())


def printed_curl(program: Program) -> str:
    """Return the curl command of the banner."""
    found = re.search(r"^  (curl .*?)\n\n", program.output, re.DOTALL | re.MULTILINE)
    assert found, program.output
    return found[1]


def paste_curl(project: Project, program: Program) -> dict[str, Any]:
    if shutil.which("curl") is None:
        skip_or_fail("curl is not installed on this machine")
    body: dict[str, Any] = json.loads(project.shell(printed_curl(program)))
    return body


def test_it_answers_and_keeps_its_data_when_it_is_run_again(project: Project) -> None:
    with project.running() as program:
        first = paste_curl(project, program)
        assert f"http://127.0.0.1:{project.port}/webhooks/demo/parse_via_chat_gpt" in program.output
        assert "SANDBOX" in program.output
        secrets = project.secrets()
        program.send_all(SIGINT)
        program.wait_for_exit()
    with project.running() as program:
        second = paste_curl(project, program)
        assert project.secrets() == secrets
        calls = project.calls()

    assert first["parsed_msg"].startswith("[sandbox] ")
    assert second["parsed_msg"].startswith("[sandbox] ")
    assert [call["call_id"] for call in calls] == [second["call_id"], first["call_id"]]
    assert {(call["status"], call["model"]) for call in calls} == {("ok", "gpt-4o-mini")}


def test_it_prints_a_password_once_which_must_be_changed_first(project: Project) -> None:
    with project.running() as program:
        found = re.search(r"One-time password: (\S+)", program.output)
        assert found, program.output
        assert "reset-link" not in program.output
        assert f"http://127.0.0.1:{project.port}/console/" in program.output
        person = ConsoleUser(
            RunningServer(Flask("unused"), f"http://127.0.0.1:{project.port}"), "admin@example.org", create_client()
        )
        with person.client:
            assert person.sign_in(found[1]).headers["Location"] == "/console/"
            answers = [person.get(path) for path in ("/console/", "/console/account/", "/console/account/two-factor")]
        assert {answer.headers["Location"] for answer in answers} == {"/console/account/password"}
    with project.running() as again:
        assert f"http://127.0.0.1:{project.port}/console/" in again.output
        assert "Password" not in again.output
        assert "flask users reset-link EMAIL" in again.output
    files = [path.read_bytes() for path in (project.folder / "instance").rglob("*") if path.is_file()]
    assert not any(found[1].encode() in content for content in files)


def test_it_starts_when_its_encryption_keys_were_lost(project: Project) -> None:
    with project.running():
        pass
    (project.folder / "instance" / "encryption_keys").unlink()
    with project.running() as program:
        assert paste_curl(project, program)["parsed_msg"].startswith("[sandbox] ")


def test_its_commands_call_the_server_that_runs(project: Project) -> None:
    """Commands run in a shell without variables of the product."""
    with project.running() as program:
        assert project.shell(".venv/bin/flask doctor demo").splitlines()[-1].startswith("demo gets answers")
        simulate = ".venv/bin/flask flows simulate demo --reply 'What is ORS?' --reply END"
        conversation = project.shell(f".venv/bin/flask flows export demo --mode sync | {simulate}")
        program.send_all(SIGINT)
        program.wait_for_exit()
    assert 'Flow:   [sandbox] You asked gpt-4o: "What is ORS?"' in conversation
    assert not (project.folder / "instance" / "running.json").exists()


def test_a_proxy_in_the_environment_does_not_affect_the_readiness_check(project: Project) -> None:
    proxy = "http://127.0.0.1:9"
    with project.running(http_proxy=proxy, HTTP_PROXY=proxy, no_proxy="", NO_PROXY=""):
        pass  # `running` waits for the banner


def test_other_users_of_the_machine_cannot_read_its_files(project: Project) -> None:
    with project.running():
        instance = project.folder / "instance"
        paths = list(instance.rglob("*"))
        folder_modes = {path.stat().st_mode & 0o777 for path in (instance, *paths) if path.is_dir()}
        file_modes = {path.stat().st_mode & 0o777 for path in paths if path.is_file()}
        assert (folder_modes, file_modes) == ({0o700}, {0o600})
        assert {path.name for path in paths} >= {*GENERATED_SECRETS, "glific_gpt.db"}


def test_it_calls_openai_with_the_key_of_the_environment(project: Project, openai: OpenAIStandIn) -> None:
    openai.always(answer("A drink of salt and sugar."))
    key = "sk-proj-newcomer-0123456789"
    with project.running(OPENAI_API_KEY=key, GLIFIC_GPT_OPENAI_BASE_URL=openai.base_url) as program:
        reply = paste_curl(project, program)
        output = program.output + program.errors

    assert reply["parsed_msg"] == "A drink of salt and sugar."
    assert {request.api_key for request in openai.requests} == {key}
    assert "your key" in output
    assert "SANDBOX" not in output
    assert key not in output


def test_it_reports_in_one_sentence_that_the_port_is_in_use(project: Project, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", project.port))
        taken.listen()
        with start(make_command("run"), tmp_path / "log", {"PORT": str(project.port)}, project.folder) as program:
            assert program.wait_for_exit() != 0
    errors = [line for line in program.errors.splitlines() if not line.startswith("make")]
    assert errors == [
        f"Error: The server cannot listen on 127.0.0.1:{project.port}: it is in use, or not an address of this machine."
    ]
    assert program.output == ""


def test_it_ends_immediately_and_quietly_on_ctrl_c(project: Project) -> None:
    with project.running() as program:
        before = time.monotonic()
        program.send_all(SIGINT)
        program.wait_for_exit()
        assert time.monotonic() - before < 5
        assert wait_until_free(project.port, seconds=1)
        assert "Traceback" not in program.errors
