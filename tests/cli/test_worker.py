"""flask worker: it works until it is stopped, ends quickly, and waits if only one process may work."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt import __version__
from glific_gpt.database.failures import MIGRATIONS_MISSING
from tests.cli.conftest import Commands
from tests.durable.conftest import lock_connections
from tests.support.deferred import create_connected_organization, pending_call_id, resumed_result, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.network_faults import FaultyProxy
from tests.support.openai_behaviours import answer, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import SERVER, Program, free_port, start
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import to_environment
from tests.support.settings import ENCRYPTION_KEY

FLASK = str(Path(sys.executable).with_name("flask"))
WORKER = (sys.executable, "-m", "glific_gpt", "worker")
"""The command that the program `flask` executes."""
WORKING = "Working on deferred calls and e-mails. Press Ctrl-C to stop."
WAITING = "Another process works on the deferred calls of this database. Waiting until it ends."
EXIT_SECONDS = 10

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Start = Callable[..., Program]


@pytest.fixture
def environment(database_url: str, openai: OpenAIStandIn) -> dict[str, str]:
    known: dict[str, Any] = {"secret_key": "made-up-for-tests", "encryption_keys": ENCRYPTION_KEY}
    reached = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
    return to_environment(**(known | reached))


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start a worker and wait until it prints this line."""
    with ExitStack() as stack:

        def run(until: str = WORKING) -> Program:
            folder = tmp_path / f"worker-{len(list(tmp_path.iterdir()))}"
            program = stack.enter_context(start(WORKER, folder, environment, is_forked=True))
            wait_until(lambda: until in program.errors or program.process.poll() is not None)
            assert until in program.errors.splitlines()
            return program

        yield run


@pytest.fixture
def connected(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """An organization on a server that does not work on deferred calls."""
    return create_connected_organization(server, glific)


def stop(program: Program, number: Signals) -> tuple[int, bool]:
    """Send the signal. Return the exit code, and whether the process ended within EXIT_SECONDS."""
    before = time.monotonic()
    program.send(number)
    return program.wait_for_exit(), time.monotonic() - before < EXIT_SECONDS


@pytest.mark.kills
@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
@on_sqlite
def test_an_idle_worker_ends_quickly(environment: dict[str, str], tmp_path: Path, number: Signals) -> None:
    with start((FLASK, "worker"), tmp_path / "worker", environment) as program:
        wait_until(lambda: WORKING in program.errors or program.process.poll() is not None)
        assert stop(program, number) == (0, True)
    started, line = program.errors.splitlines()
    assert (program.output, line) == ("", WORKING)
    assert json.loads(started).items() >= {"event": "worker_started", "version": __version__}.items()


def test_it_ends_quickly_while_it_waits_for_openai_and_another_worker_repeats_the_call(
    start_worker: Start, connected: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(never_respond())
    call_id = pending_call_id(connected.ask_deferred())
    first = start_worker()
    wait_until(lambda: openai.requests)
    assert stop(first, SIGTERM) == (0, True)
    assert connected.delivery(call_id).state == "waiting"
    start_worker()
    assert connected.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["status"] == "ok"


@on_sqlite
def test_it_finishes_running_work_before_it_ends(
    start_worker: Start, connected: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.will(answer("Sugar and salt.", after=1))
    call_id = pending_call_id(connected.ask_deferred())
    program = start_worker()
    wait_until(lambda: openai.requests)
    assert stop(program, SIGTERM) == (0, True)
    assert connected.delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."


@on_sqlite
def test_it_waits_while_another_worker_works(
    start_worker: Start, connected: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    first, second = start_worker(), start_worker(WAITING)
    connected.wait_for_delivery(pending_call_id(connected.ask_deferred()))
    assert WORKING not in second.errors
    first.send_all(SIGKILL)
    wait_until(lambda: WORKING in second.errors, seconds=5)
    connected.wait_for_delivery(pending_call_id(connected.ask_deferred(contact=22)))
    assert len(openai.requests) == 2


@on_sqlite
def test_a_waiting_worker_ends_quickly(start_worker: Start) -> None:
    start_worker()
    assert stop(start_worker(WAITING), SIGTERM) == (0, True)


@pytest.mark.kills
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_ends_quickly_while_the_database_does_not_answer(
    environment: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    url = sa.make_url(database_url)
    with FaultyProxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        through = url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        known = environment | to_environment(database_url=through)
        with start(WORKER, tmp_path / "worker", known, is_forked=True) as program:
            wait_until(lambda: WORKING in program.errors)
            wait_until(lambda: lock_connections(database_url))
            proxy.stop_forwarding()
            assert stop(program, SIGTERM) == (0, True)


@on_sqlite
def test_a_server_takes_over_when_the_worker_is_killed(
    start_worker: Start, environment: dict[str, str], tmp_path: Path, connected: TestOrganization, glific: GlificStandIn
) -> None:
    worker = start_worker()
    bound = environment | to_environment(bind=f"127.0.0.1:{free_port()}")
    with start(SERVER, tmp_path / "server", bound, is_forked=True):
        time.sleep(3)  # in which the server cannot become the consumer
        assert connected.wait_for_delivery(pending_call_id(connected.ask_deferred())).state == "delivered"
        worker.send_all(SIGKILL)
        assert connected.wait_for_delivery(pending_call_id(connected.ask_deferred(contact=22))).state == "delivered"
    assert len(glific.resumptions) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_several_workers_work_at_the_same_time_on_postgresql(
    start_worker: Start, connected: TestOrganization, openai: OpenAIStandIn
) -> None:
    for _ in range(2):
        start_worker()
    calls = [pending_call_id(connected.ask_deferred(contact=contact)) for contact in range(1, 7)]
    assert {connected.wait_for_delivery(call_id).state for call_id in calls} == {"delivered"}
    assert len(openai.requests) == len(calls)


def test_missing_migrations_are_a_one_line_error(
    flask: Commands, database: str, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    assert flask.run("worker").exit_code == 1
    assert json.loads(capfd.readouterr().err)["detail"] == MIGRATIONS_MISSING.message


@on_sqlite
def test_a_missing_setting_is_a_one_line_error(environment: dict[str, str], tmp_path: Path) -> None:
    without = {name: value for name, value in environment.items() if not name.endswith("SECRET_KEY")}
    with start((FLASK, "worker"), tmp_path / "refused", without) as program:
        assert program.wait_for_exit() == 1
    assert program.errors.startswith("Error: GLIFIC_GPT_SECRET_KEY is not set")
    assert program.errors.count("\n") == 1
