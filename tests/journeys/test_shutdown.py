"""Running calls and their rows when the server is stopped or killed."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM
from typing import Any

import httpx2
import pytest
import time_machine

from glific_gpt.clock import now
from tests.support import http
from tests.support.database_faults import lock_calls
from tests.support.openai_behaviours import answer, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import TIMEOUT_SECONDS, list_server_processes, wait_until_free
from tests.support.server import TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes, wait_until_ready

pytestmark = pytest.mark.both_databases

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DEADLINE_SECONDS = 3.0
DATABASE_FAILURE = "Migrations are missing"


@pytest.fixture(params=[1, 2])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> Iterator[ServerProcesses]:
    """A server of one process, and one of two."""
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url}
    with run_server_processes(
        tmp_path / "log", is_forked=True, processes=request.param, deadline_seconds=DEADLINE_SECONDS, **settings
    ) as server:
        yield server


@contextmanager
def running_call(organization: TestOrganization, openai: OpenAIStandIn) -> Iterator[Future[httpx2.Response]]:
    """Yield a call that has reached OpenAI and has no answer yet."""
    with ThreadPoolExecutor() as pool:
        call = pool.submit(organization.ask)
        until = time.monotonic() + TIMEOUT_SECONDS
        while not openai.requests and time.monotonic() < until:
            time.sleep(0.01)
        yield call


def statuses(organization: TestOrganization) -> list[str]:
    return [call["status"] for call in organization.calls()]


@on_sqlite
def test_it_answers_a_running_call_before_it_ends(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    openai.always(answer("At last.", after=1.5))
    alice = server.add_organization("alice")
    with running_call(alice, openai) as call:
        server.program.send(SIGTERM)
        assert call.result().json()["parsed_msg"] == "At last."
    assert server.program.wait_for_exit() == 0
    assert wait_until_free(server.port, seconds=1)
    assert statuses(alice) == ["ok"]


@on_sqlite
def test_a_result_that_the_database_did_not_accept_in_time_is_written_before_it_ends(
    tmp_path: Path, openai: OpenAIStandIn, database_url: str
) -> None:
    openai.always(answer("At last.", after=1))
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url, "worker": "separate"}
    with run_server_processes(tmp_path / "log", is_forked=True, **settings) as server:
        alice = server.add_organization("alice")
        with running_call(alice, openai) as call, lock_calls(database_url):
            assert call.result().json()["parsed_msg"] == "At last."
            server.program.send(SIGTERM)
            time.sleep(1)  # by then it would have ended
        assert server.program.wait_for_exit() == 0
        assert statuses(alice) == ["ok"]


def test_a_call_whose_server_is_killed_is_interrupted_after_its_deadline(
    server: ServerProcesses, openai: OpenAIStandIn
) -> None:
    openai.always(never_respond())
    alice = server.add_organization("alice")
    with running_call(alice, openai) as call:
        assert statuses(alice) == ["started"]
        server.program.send_all(SIGKILL)
        assert isinstance(call.exception(), httpx2.TransportError)
    assert statuses(alice) == ["started"]
    with time_machine.travel(now() + timedelta(seconds=DEADLINE_SECONDS + 2.5)):
        assert statuses(alice) == ["interrupted"]


@on_sqlite
@pytest.mark.parametrize("server", [2], indirect=True)
def test_a_killed_process_is_replaced(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    alice = server.add_organization("alice")
    for pid in list_server_processes(server.program):
        os.kill(pid, SIGKILL)
    wait_until_ready(server.url, server.program)
    openai.always(answer("Still here."))
    assert alice.ask().json()["parsed_msg"] == "Still here."


@on_sqlite
@pytest.mark.parametrize("server", [2], indirect=True)
def test_a_process_that_cannot_be_replaced_does_not_stop_the_others(server: ServerProcesses, database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    moved = path.rename(path.with_suffix(".moved"))
    os.kill(list_server_processes(server.program)[0], SIGKILL)
    until = time.monotonic() + TIMEOUT_SECONDS
    # The second failure shows that the supervisor has seen the first one, and has not stopped the server.
    while server.program.errors.count(DATABASE_FAILURE) < 2:
        assert server.program.process.poll() is None, server.program.errors
        assert time.monotonic() < until, server.program.errors
        time.sleep(0.1)
    assert http.get(f"{server.url}/livez", timeout=TIMEOUT_SECONDS).status_code == 200
    path.unlink(missing_ok=True)
    moved.rename(path)
    wait_until_ready(server.url, server.program)


@on_sqlite
@pytest.mark.parametrize("server", [2], indirect=True)
def test_its_processes_are_replaced_one_by_one_on_sighup(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    openai.always(answer("Still here."))
    alice, before = server.add_organization("alice"), set(list_server_processes(server.program))
    server.program.send(SIGHUP)
    # A process is replaced only after the previous replacement serves.
    until = time.monotonic() + TIMEOUT_SECONDS * len(before)
    while before & set(list_server_processes(server.program)) and time.monotonic() < until:
        assert alice.ask().json()["parsed_msg"] == "Still here."
        time.sleep(0.1)  # leave the CPU to the starting processes
    assert not before & set(list_server_processes(server.program))


@on_sqlite
def test_a_process_ends_when_its_parent_is_killed(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    openai.always(never_respond())
    alice = server.add_organization("alice")
    with running_call(alice, openai) as call:
        server.program.send(SIGKILL)
        assert wait_until_free(server.port, TIMEOUT_SECONDS)
        assert isinstance(call.exception(), httpx2.TransportError)
    assert statuses(alice) == ["started"]
    with time_machine.travel(now() + timedelta(seconds=DEADLINE_SECONDS + 2.5)):
        assert statuses(alice) == ["interrupted"]
