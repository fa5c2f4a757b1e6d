"""Metrics of the shipped server: several processes and a worker, some of them killed, and a real Prometheus."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from sqlalchemy import select

from glific_gpt.database import transaction
from glific_gpt.organizations.credentials.tables import Credential
from tests.support import http
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.metrics import TOKEN, ended_calls, scrape, with_row
from tests.support.openai_behaviours import refuse_key
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import require_program
from tests.support.programs import ROOT, WORKER, Program, free_port, list_server_processes, start
from tests.support.server import TestOrganization
from tests.support.serving import SECRET_KEY, ServerProcesses, open_database, run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

SLOW_START_SECONDS = 90
"""Time for several processes to start on a busy machine."""
STATUS_OF_WRONG_SETTINGS = 1
PROMETHEUS = ROOT / "deploy" / "prometheus"


@pytest.fixture
def settings(database_url: str, openai: OpenAIStandIn) -> dict[str, Any]:
    """Settings of a server and a worker, which find the same folder by themselves."""
    return {
        "database_url": database_url,
        "openai_base_url": openai.base_url,
        "glific_hosts": "127.0.0.1",
        "worker": "separate",
        "deadline_seconds": 30,
        "metrics_token": TOKEN,
    }


@contextmanager
def run_worker(folder: Path, settings: dict[str, Any]) -> Iterator[Program]:
    secrets = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    with start(
        WORKER, folder, to_environment(**settings, **secrets) | {"TMPDIR": str(folder.parent)}, is_forked=True
    ) as program:
        yield program


def create_unreadable_secret(database_url: str) -> None:
    with open_database(database_url=database_url, secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY) as database:
        database.add_organization("bob")
        with database.app.app_context(), transaction() as session:
            session.scalars(select(Credential)).one().ciphertext = "gAAAA"


def send_mixed_calls(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for _ in range(4):
        alice.ask()
        alice.ask("")
    openai.will(refuse_key())
    alice.ask()
    for mode in ("async", "auto"):
        alice.ask_deferred(mode)


def count_processes(url: str) -> tuple[float, float]:
    """Return the numbers of server processes and of workers."""
    found = scrape(url)
    return found.total("processes", kind="server"), found.total("processes", kind="worker")


def wait_until_counts_equal_rows(server: ServerProcesses) -> None:
    wait_until(lambda: with_row(scrape(server.url).calls()) == ended_calls(server) != {}, SLOW_START_SECONDS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_counts_equal_the_rows_although_processes_are_killed(
    tmp_path: Path, settings: dict[str, Any], openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    create_unreadable_secret(settings["database_url"])
    with run_server_processes(tmp_path / "server", is_forked=True, processes=2, **settings) as server:
        alice = server.add_organization("alice")
        alice.connect(glific)
        wait_until(lambda: scrape(server.url).total("secrets_unreadable") == 1, SLOW_START_SECONDS)
        with run_worker(tmp_path / "worker", settings):
            wait_until(lambda: scrape(server.url).total("workers_live") == 1, SLOW_START_SECONDS)
            send_mixed_calls(alice, openai)
            wait_until(lambda: sum(scrape(server.url).calls().values()) == 11, SLOW_START_SECONDS)
            wait_until_counts_equal_rows(server)
            # On a busy machine, a process that answers too late is being replaced meanwhile.
            wait_until(lambda: count_processes(server.url) == (2, 1), SLOW_START_SECONDS)
        # The worker was killed at the end of the block.
        killed = list_server_processes(server.program)
        for process in killed:
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: is_replaced(server, killed), SLOW_START_SECONDS)
        alice.ask()
        wait_until_counts_equal_rows(server)
        after = scrape(server.url)
    assert after.total("call_seconds_count") == 12
    assert not [sample for sample in after.metrics["glific_gpt_processes"].samples if sample.labels["kind"] == "worker"]


def is_replaced(server: ServerProcesses, killed: list[int]) -> bool:
    """Report whether two new processes answer."""
    if set(killed) & set(list_server_processes(server.program)):
        return False
    try:
        return scrape(server.url).total("processes", kind="server") == 2
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_prometheus_sees_the_server_and_counts_that_equal_the_rows(
    tmp_path: Path, settings: dict[str, Any], openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    require_program("prometheus", "prometheus")
    environ = {"TMPDIR": str(tmp_path)}
    with (
        run_server_processes(tmp_path / "server", environ, is_forked=True, **settings) as server,
        run_worker(tmp_path / "worker", settings),
        run_prometheus(tmp_path / "prometheus", server.port) as query,
    ):
        alice = server.add_organization("alice")
        alice.connect(glific)
        wait_until(lambda: query('up{job="glific_gpt"}') == 1, SLOW_START_SECONDS)
        wait_until(lambda: query("max(glific_gpt_workers_live)") == 1, SLOW_START_SECONDS)
        send_mixed_calls(alice, openai)
        wait_until(lambda: query("sum(glific_gpt_calls_total)") == 11, SLOW_START_SECONDS)
        wait_until_counts_equal_rows(server)
        for (function, mode, status, code), count in ended_calls(server).items():
            labels = f'function="{function}",mode="{mode}",status="{status}",error_code="{code}"'
            wait_until(lambda: query(f"sum(glific_gpt_calls_total{{{labels}}})") == count)  # noqa: B023 - called now
        assert [path.name for path in tmp_path.glob("glific_gpt_metrics_*")] != []


@contextmanager
def run_prometheus(folder: Path, port: int) -> Iterator[Callable[[str], float | None]]:
    """Run Prometheus with the example of the documentation. Yields a function that evaluates an expression."""
    folder.mkdir()
    (folder / "token").write_text(TOKEN + "\n")
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"]["scrape_interval"] = config["global"]["evaluation_interval"] = "1s"
    config["rule_files"] = [str(PROMETHEUS / "alerts.yml")]
    (job,) = config["scrape_configs"]
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    job["authorization"]["credentials_file"] = str(folder / "token")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = (
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    )

    def query(expression: str) -> float | None:
        try:
            response = http.get(f"http://{address}/api/v1/query", params={"query": expression})
            if response.status_code == 503:  # Prometheus is still starting
                return None
            reply = response.json()
        except httpx2.TransportError:  # it is starting
            return None
        found = reply["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    with start(command, folder / "log"):
        yield query


def test_a_folder_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "file").touch()
    settings = {"database_url": database_url, "secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY}
    environ = to_environment(**settings, metrics_token=TOKEN, metrics_dir=tmp_path / "file")
    with start(WORKER, tmp_path / "worker", environ) as program:
        assert program.wait_for_exit() == STATUS_OF_WRONG_SETTINGS
        assert "GLIFIC_GPT_METRICS_DIR" in program.errors
        assert "Traceback" not in program.errors
