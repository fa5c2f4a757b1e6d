"""`make run`, from a fresh copy of the project to an answer, and again."""

import json
import os
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

KEPT = ("demo_webhook_token", "encryption_keys", "secret_key")
LAST_LINE = "Your data is kept for the next"


@dataclass
class Home:
    """A copy of the project in which a newcomer runs it."""

    project: Path
    port: int

    @contextmanager
    def running(self, **environ: str) -> Iterator[Program]:
        """`make run`, once the banner has been printed."""
        folder = self.project.parent / f"log{time.monotonic_ns()}"
        with start(make_command("run"), folder, {"PORT": str(self.port)} | environ, self.project) as program:
            until = time.monotonic() + TIMEOUT_SECONDS
            while LAST_LINE not in program.output:
                assert program.process.poll() is None, program.errors
                assert time.monotonic() < until, program.errors
                time.sleep(0.05)
            yield program

    def shell(self, command: str) -> str:
        """What a command prints that a newcomer pastes into another terminal."""
        done = subprocess.run(  # noqa: S603 - our own words
            ["/bin/bash", "-c", command], cwd=self.project, env=clean_environment(), capture_output=True, check=True
        )
        return done.stdout.decode()

    def kept(self) -> dict[str, str]:
        return {name: (self.project / "instance" / name).read_text() for name in KEPT}

    def calls(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.shell(".venv/bin/flask calls list demo --json"))
        return listed


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(copy_project(tmp_path), free_port())


def printed_curl(program: Program) -> str:
    """The command in the banner, all its lines."""
    found = re.search(r"^  (curl .*?)\n\n", program.output, re.DOTALL | re.MULTILINE)
    assert found, program.output
    return found[1]


def paste_curl(home: Home, program: Program) -> dict[str, Any]:
    if shutil.which("curl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no curl on this machine")
    body: dict[str, Any] = json.loads(home.shell(printed_curl(program)))
    return body


def test_it_answers_a_newcomer_and_keeps_everything_when_it_is_run_again(home: Home) -> None:
    with home.running() as program:
        first = paste_curl(home, program)
        assert f"http://127.0.0.1:{home.port}/webhooks/demo/parse_via_chat_gpt" in program.output
        assert "SANDBOX" in program.output
        kept = home.kept()
        program.send_all(SIGINT)
        program.wait_for_exit()
    with home.running() as program:
        second = paste_curl(home, program)
        assert home.kept() == kept
        calls = home.calls()

    assert first["parsed_msg"].startswith("[sandbox] ")
    assert second["parsed_msg"].startswith("[sandbox] ")
    assert [call["call_id"] for call in calls] == [second["call_id"], first["call_id"]]
    assert {(call["status"], call["model"]) for call in calls} == {("ok", "gpt-4o-mini")}


def test_it_says_the_administrators_password_once_which_opens_nothing_but_the_page_to_change_it(home: Home) -> None:
    with home.running() as program:
        found = re.search(r"One-time password: (\S+)", program.output)
        assert found, program.output
        assert f"http://127.0.0.1:{home.port}/console/" in program.output
        person = ConsoleUser(
            RunningServer(Flask("unused"), f"http://127.0.0.1:{home.port}"), "admin@example.org", create_client()
        )
        with person.client:
            assert person.sign_in(found[1]).headers["Location"] == "/console/"
            answers = [person.get(path) for path in ("/console/", "/console/account/", "/console/account/two-factor")]
        assert {answer.headers["Location"] for answer in answers} == {"/console/account/password"}
    with home.running() as again:
        assert f"http://127.0.0.1:{home.port}/console/" in again.output
        assert "Password" not in again.output
    kept = [path.read_bytes() for path in (home.project / "instance").rglob("*") if path.is_file()]
    assert not any(found[1].encode() in content for content in kept)


def test_it_goes_on_when_its_encryption_keys_were_lost(home: Home) -> None:
    with home.running():
        pass
    (home.project / "instance" / "encryption_keys").unlink()
    with home.running() as program:
        assert paste_curl(home, program)["parsed_msg"].startswith("[sandbox] ")


def test_its_commands_call_the_server_that_runs(home: Home) -> None:
    """Set as a newcomer's shell is: with nothing but where the project is."""
    with home.running() as program:
        assert home.shell(".venv/bin/flask doctor demo").splitlines()[-1].startswith("demo gets answers")
        talk = ".venv/bin/flask flows simulate demo --reply 'What is ORS?' --reply END"
        shown = home.shell(f".venv/bin/flask flows export demo --mode sync | {talk}")
        program.send_all(SIGINT)
        program.wait_for_exit()
    assert 'Flow:   [sandbox] You asked gpt-4o: "What is ORS?"' in shown
    assert not (home.project / "instance" / "running.json").exists()


def test_it_says_that_it_is_ready_behind_a_proxy_that_knows_nothing_of_this_machine(home: Home) -> None:
    nowhere = "http://127.0.0.1:9"
    with home.running(http_proxy=nowhere, HTTP_PROXY=nowhere, no_proxy="", NO_PROXY=""):
        pass  # the banner has been printed


def test_it_lets_nobody_else_on_the_machine_read_what_it_keeps(home: Home) -> None:
    with home.running():
        instance = home.project / "instance"
        kept = list(instance.rglob("*"))
        folders = {path.stat().st_mode & 0o777 for path in (instance, *kept) if path.is_dir()}
        files = {path.stat().st_mode & 0o777 for path in kept if path.is_file()}
        assert (folders, files) == ({0o700}, {0o600})
        assert {path.name for path in kept} >= {*KEPT, "glific_gpt.db"}


def test_it_asks_openai_with_the_key_of_the_environment(home: Home, openai: OpenAIStandIn) -> None:
    openai.always(answer("A drink of salt and sugar."))
    key = "sk-proj-newcomer-0123456789"
    with home.running(OPENAI_API_KEY=key, GLIFIC_GPT_OPENAI_BASE_URL=openai.base_url) as program:
        reply = paste_curl(home, program)
        said = program.output + program.errors

    assert reply["parsed_msg"] == "A drink of salt and sugar."
    assert {asked.api_key for asked in openai.requests} == {key}
    assert "your key" in said
    assert "SANDBOX" not in said
    assert key not in said


def test_it_says_in_one_sentence_that_the_port_is_taken(home: Home, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", home.port))
        taken.listen()
        with start(make_command("run"), tmp_path / "log", {"PORT": str(home.port)}, home.project) as program:
            assert program.wait_for_exit() != 0
    said = [line for line in program.errors.splitlines() if not line.startswith("make")]
    assert said == [
        f"Error: The server cannot listen on 127.0.0.1:{home.port}: it is in use, or not an address of this machine."
    ]
    assert program.output == ""


def test_it_ends_at_once_and_quietly_at_ctrl_c(home: Home) -> None:
    with home.running() as program:
        before = time.monotonic()
        program.send_all(SIGINT)
        program.wait_for_exit()
        assert time.monotonic() - before < 5
        assert wait_until_free(home.port, seconds=1)
        assert "Traceback" not in program.errors
