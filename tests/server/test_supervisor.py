"""The server reports in one sentence that it cannot listen, and ends in time after a stop signal."""

import socket
import sys
from pathlib import Path

import pytest

from glific_gpt.errors import SettingsError
from glific_gpt.server import supervisor
from tests.support.platforms import requires_ipv6
from tests.support.programs import start
from tests.support.settings import create_settings

GLIFIC_REUSES_SECONDS = 60
"""The idle time-out of hackney's connection pool."""

SHUTDOWN_PROGRAM = """
import signal, sys, time
from glific_gpt.server import supervisor

def end_worker():
    time.sleep(float(sys.argv[2]))
    print("worker ended", flush=True)

supervisor.FORCED_EXIT_SECONDS = float(sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: print("uvicorn stops", flush=True))
shutdown = supervisor._Shutdown(end_worker)
shutdown.wait()  # returns immediately, because no signal has arrived
shutdown.watch_signals()
for _ in range(int(sys.argv[3])):
    signal.raise_signal(signal.SIGTERM)
shutdown.wait()
print("shutdown ended", flush=True)
"""
"""Arguments: seconds until the forced exit, seconds that the worker takes to end, number of stop signals."""


def refusal(bind: str) -> str:
    with pytest.raises(SettingsError) as caught:
        supervisor.run(create_settings(bind=bind))
    return str(caught.value)


def test_it_refuses_an_address_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        assert refusal(bind) == f"The server cannot listen on {bind}: it is in use, or not an address of this machine."


@pytest.mark.parametrize("bind", ["192.0.2.1:8000", "127.0.0.1:99999"])
def test_it_refuses_an_invalid_address(bind: str) -> None:
    assert refusal(bind) == f"The server cannot listen on {bind}: it is in use, or not an address of this machine."


def output_of_shutdown(folder: Path, *arguments: float) -> list[str]:
    with start((sys.executable, "-c", SHUTDOWN_PROGRAM, *map(str, arguments)), folder) as program:
        assert program.wait_for_exit() == 0, program.errors
        return program.output.splitlines()


def test_it_waits_for_the_worker_once_for_several_signals(tmp_path: Path) -> None:
    expected = ["uvicorn stops", "uvicorn stops", "worker ended", "shutdown ended"]
    assert output_of_shutdown(tmp_path, 300, 0.5, 2) == expected


def test_it_exits_although_the_worker_does_not_end(tmp_path: Path) -> None:
    assert output_of_shutdown(tmp_path, 0.5, 300, 1) == ["uvicorn stops"]


@requires_ipv6
def test_all_addresses_of_ipv6_include_those_of_ipv4() -> None:
    with supervisor._bind("[::]:0") as listener:
        listener.listen()
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), 5).close()


def test_idle_connections_are_kept_longer_than_glific_reuses_them() -> None:
    with socket.socket() as listener:
        assert supervisor._uvicorn_config("app", listener).timeout_keep_alive > GLIFIC_REUSES_SECONDS
