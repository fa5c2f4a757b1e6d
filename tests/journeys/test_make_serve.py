"""`make serve`: errors that prevent its start, and how it starts."""

import json
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, Signals
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from glific_gpt import __version__
from tests.support import http
from tests.support.databases import behind_on_migrations
from tests.support.deferred import wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import requires_ipv6
from tests.support.programs import (
    SERVER,
    WORKER,
    Program,
    copy_project,
    free_port,
    is_free,
    list_server_processes,
    make_command,
    start,
)
from tests.support.serving import SECRET_KEY, run_server_processes, to_environment, wait_until_ready
from tests.support.settings import ENCRYPTION_KEY

UNREACHABLE = "postgresql+psycopg://nobody:sk-proj-secret@127.0.0.1:9/nothing"
BEHIND = "Migrations are missing. Run 'flask db upgrade'."

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def environment(**settings: object) -> dict[str, str]:
    """Return the required variables and these settings. None omits a setting."""
    all_settings = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY} | settings
    return to_environment(**{name: value for name, value in all_settings.items() if value is not None})


def refusal(tmp_path: Path, environ: dict[str, str]) -> str:
    """Return the error of a server that does not start."""
    bind = to_environment(bind=f"127.0.0.1:{free_port()}")
    with start(SERVER, tmp_path / "refused", bind | environ, is_forked=True) as program:
        return failed_start(program)


def failed_start(program: Program) -> str:
    """Wait until the program ends, and return the sentence of its only line in the log."""
    assert program.wait_for_exit() == 1
    assert program.output == ""
    line = json.loads(program.errors)
    assert (line["event"], line["level"]) == ("start_failed", "error")
    return str(line["detail"])


def test_it_reports_a_missing_secret_in_one_sentence(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    with start(make_command("serve"), tmp_path / "log", {}, project) as program:
        assert program.wait_for_exit() != 0
    errors = [line for line in program.errors.splitlines() if not line.startswith("make")]
    assert len(errors) == 1
    assert json.loads(errors[0])["detail"].startswith("GLIFIC_GPT_SECRET_KEY is not set. ")
    assert not (project / "instance").exists()


def test_it_does_not_use_the_secrets_of_make_run(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "instance").mkdir()
    (project / "instance" / "secret_key").write_text(SECRET_KEY)
    (project / "instance" / "encryption_keys").write_text(ENCRYPTION_KEY)
    with start(SERVER, tmp_path / "log", environment(encryption_keys=None), project) as program:
        assert failed_start(program).startswith("GLIFIC_GPT_ENCRYPTION_KEYS is not set. ")


def test_it_suggests_a_setting_for_a_misspelt_one(tmp_path: Path) -> None:
    error = refusal(tmp_path, environment(databse_url="sqlite://"))
    assert error == "GLIFIC_GPT_DATABSE_URL is not a setting. Did you mean GLIFIC_GPT_DATABASE_URL?"


def test_it_does_not_start_on_a_database_that_cannot_be_reached(tmp_path: Path) -> None:
    assert refusal(tmp_path, environment(database_url=UNREACHABLE)).startswith("No database accepts connections")


def test_it_does_not_start_on_an_empty_database_and_leaves_it_empty(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    assert refusal(tmp_path, environment(database_url=url)) == BEHIND
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


@on_sqlite
def test_it_does_not_start_on_a_database_that_is_behind_on_migrations(tmp_path: Path, database_url: str) -> None:
    with behind_on_migrations(database_url):
        assert refusal(tmp_path, environment(database_url=database_url)) == BEHIND


@on_sqlite
@pytest.mark.parametrize("command", [SERVER, WORKER], ids=["server", "worker"])
def test_it_does_not_start_with_other_encryption_keys_than_those_of_the_database(
    tmp_path: Path, database_url: str, command: tuple[str, ...]
) -> None:
    other = Fernet.generate_key().decode()
    environ = environment(database_url=database_url, encryption_keys=other)
    with start(command, tmp_path / "log", environ, is_forked=True) as program:
        assert failed_start(program).startswith("The database was encrypted with other keys")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_server_that_cannot_start_takes_no_connection(tmp_path: Path, processes: int) -> None:
    port = free_port()
    settings = {"database_url": f"sqlite:///{tmp_path}/empty.db", "processes": processes}
    environ = environment(bind=f"127.0.0.1:{port}", **settings)
    with start(SERVER, tmp_path / "log", environ) as program:
        wait_until(lambda: has_owner(port))
        while program.process.poll() is None:
            assert is_free(port)
            time.sleep(0.005)
    assert BEHIND in program.errors


def test_it_ends_when_its_processes_cannot_start(tmp_path: Path) -> None:
    environ = environment(database_url=f"sqlite:///{tmp_path}/empty.db", processes=2, bind=f"127.0.0.1:{free_port()}")
    with start(SERVER, tmp_path / "log", environ, is_forked=True) as program:
        assert program.wait_for_exit() == 1
    lines = [json.loads(line) for line in program.errors.splitlines()]
    assert {line["detail"] for line in lines if line["event"] == "start_failed"} == {BEHIND}


@on_sqlite
@pytest.mark.parametrize("processes", [1, 2])
def test_it_ends_with_one_sentence_if_another_server_listens_first(
    tmp_path: Path, database_url: str, processes: int
) -> None:
    with socket.socket() as other:
        # Two sockets with this option can have the same address as long as none listens.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", free_port()))
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        environ = environment(database_url=database_url, bind=bind, processes=processes)
        with start(SERVER, tmp_path / "log", environ, is_forked=True) as program:
            wait_until(lambda: has_socket(program))
            other.listen()
            assert failed_start(program) == (
                f"The server cannot listen on {bind}: it is in use, or not an address of this machine."
            )


def has_socket(program: Program) -> bool:
    """Report whether the program has opened a socket, of which the first one is for its address."""
    with suppress(FileNotFoundError):  # a file has been closed meanwhile
        return any("socket:" in str(file.readlink()) for file in Path(f"/proc/{program.process.pid}/fd").iterdir())
    return False


@on_sqlite
def test_the_other_processes_serve_while_one_cannot_be_replaced(tmp_path: Path, database_url: str) -> None:
    with run_server_processes(tmp_path / "log", is_forked=True, database_url=database_url, processes=2) as server:
        with behind_on_migrations(database_url):
            os.kill(list_server_processes(server.program)[0], SIGKILL)
            wait_until(lambda: server.program.errors.count(BEHIND) >= 2)
            assert http.get(f"{server.url}/livez").status_code == 200
        wait_until(lambda: server.program.errors.count("server_started") == 3)
        assert server.program.process.poll() is None


def test_it_does_not_start_on_a_database_in_memory(tmp_path: Path) -> None:
    error = refusal(tmp_path, environment(database_url="sqlite://"))
    assert error == "GLIFIC_GPT_DATABASE_URL names no file: a database in memory would be lost."


def test_it_does_not_start_with_a_default_model_that_cannot_answer(tmp_path: Path) -> None:
    error = refusal(tmp_path, environment(default_model="tts-1"))
    assert error == "GLIFIC_GPT_DEFAULT_MODEL is not a text model. Choose a text model such as gpt-4o."


@on_sqlite
def test_it_ends_quietly_on_ctrl_c_before_it_serves(tmp_path: Path, database_url: str) -> None:
    port = free_port()
    environ = environment(database_url=database_url, bind=f"127.0.0.1:{port}")
    with start(SERVER, tmp_path / "log", environ) as program:
        wait_until(lambda: has_owner(port))
        program.send_all(SIGINT)
        assert program.wait_for_exit() == 0
    assert program.errors == ""


@on_sqlite
def test_several_processes_end_quietly_on_ctrl_c_while_they_start(tmp_path: Path, database_url: str) -> None:
    environ = environment(database_url=database_url, bind=f"127.0.0.1:{free_port()}", processes=2)
    with start(SERVER, tmp_path / "log", environ) as program:
        wait_until(lambda: [handles(pid, SIGINT) for pid in list_server_processes(program)] == [True, True])
        program.send_all(SIGINT)
        assert program.wait_for_exit() == 0
    # A process that has started already says so; the first one also names the missing administrator.
    events = {json.loads(line)["event"] for line in program.errors.splitlines()}
    assert events <= {"server_started", "administrator_missing"}


@on_sqlite
@pytest.mark.parametrize("host", ["localhost", pytest.param("[::1]", marks=requires_ipv6)])
def test_it_listens_on_a_name_and_on_an_address_of_ipv6(tmp_path: Path, database_url: str, host: str) -> None:
    bind = f"{host}:{free_port()}"
    environ = environment(database_url=database_url, bind=bind)
    with start(SERVER, tmp_path / "log", environ, is_forked=True) as program:
        wait_until_ready(f"http://{bind}", program)


def has_owner(port: int) -> bool:
    """Report whether a socket has this port, also one that does not listen."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def handles(pid: int, number: Signals) -> bool:
    """Report whether the process has a handler for the signal. Python itself has one for SIGINT from its start."""
    caught = re.search(r"^SigCgt:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(caught and int(caught[1], 16) & 1 << number - 1)


def test_it_reports_that_it_is_not_ready_when_the_database_is_behind_on_migrations(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url
    ) as server:
        assert server.add_organization("alice").ask().status_code == 200
        assert http.get(f"{server.url}/livez").status_code == 200
        with behind_on_migrations(database_url):
            wait_until(lambda: http.get(f"{server.url}/readyz").status_code == 503)
            assert http.get(f"{server.url}/livez").status_code == 200
            assert http.get(f"{server.url}/readyz").json() == {"status": "unavailable"}
        wait_until(lambda: http.get(f"{server.url}/readyz").status_code == 200)


@on_sqlite
def test_it_reads_every_secret_from_a_file_and_logs_its_version(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url}
    files: dict[str, str] = {}
    for variable, secret in environment(database_url=database_url).items():
        (tmp_path / variable).write_text(f"{secret}\n")
        files |= {variable: "", f"{variable}_FILE": str(tmp_path / variable)}
    with run_server_processes(tmp_path / "log", files, **settings) as server:
        assert server.add_organization("alice").ask().status_code == 200
        first = json.loads(server.program.errors.splitlines()[0])
    assert first.items() >= {"event": "server_started", "version": __version__}.items()
    assert openai.requests[0].api_key == "sk-proj-alice-0123456789-lice"
