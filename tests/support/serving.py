"""The production server in separate processes, with organizations, called over a socket."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from glific_gpt.database import db
from glific_gpt.settings import PREFIX
from tests.support import http
from tests.support.apps import create_app
from tests.support.programs import (
    ROOT,
    SERVER,
    TIMEOUT_SECONDS,
    Program,
    accepts_connections,
    free_port,
    list_server_processes,
    start,
)
from tests.support.server import RunningServer
from tests.support.settings import ENCRYPTION_KEY, create_settings

SECRET_KEY = "made-up-for-a-served-test"


@dataclass
class ServerProcesses(RunningServer):
    """A server in separate processes. Its `app` in this process only gives access to its database."""

    program: Program
    port: int


@contextmanager
def run_server_processes(
    folder: Path,
    environ: dict[str, str] | None = None,
    tree: Path = ROOT,
    *,
    is_forked: bool = False,
    **settings: Any,
) -> Iterator[ServerProcesses]:
    """Yield the server as soon as all its processes are ready. `folder` gets its output, `tree` has the code.

    A test in which the start itself does not matter sets `is_forked`.
    """
    port = free_port()
    all_settings = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY, "bind": f"127.0.0.1:{port}"} | settings
    with (
        start(SERVER, folder, to_environment(**all_settings) | (environ or {}), tree, is_forked=is_forked) as program,
        open_database(**all_settings) as server,
    ):
        processes = ServerProcesses(server.app, f"http://127.0.0.1:{port}", program, port)
        wait_until_ready(processes.url, program)
        _wait_until_all_accept(port, program, settings.get("processes", 1))
        yield processes
        assert not list_blocked_callbacks(program.errors), program.errors


def list_blocked_callbacks(errors: str) -> list[str]:
    """Return the callbacks that have blocked the event loop, by a server's log.

    A loop that runs no callback waits for a processor or for memory, which a busy machine did not give it.
    """
    reports = [json.loads(line) for line in errors.splitlines() if '"event_loop_blocked"' in line]
    return [report["stack"][-1] for report in reports if "asyncio/runners.py" not in report["stack"][-1]]


@contextmanager
def open_database(**settings: Any) -> Iterator[RunningServer]:
    """Yield access to the organizations in a server's database, without serving requests."""
    app = create_app(create_settings(**settings))
    try:
        yield RunningServer(app, "")
    finally:
        logging.getLogger().handlers = []
        with app.app_context():
            db.engine.dispose()


def to_environment(**settings: Any) -> dict[str, str]:
    return {PREFIX + name.upper(): str(value) for name, value in settings.items()}


def wait_until_ready(url: str, program: Program) -> None:
    until = time.monotonic() + TIMEOUT_SECONDS
    while program.process.poll() is None and time.monotonic() < until:
        try:
            if http.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"The server did not start: {program.errors}")


def _wait_until_all_accept(port: int, program: Program, processes: int) -> None:
    """Wait for the other processes: the server is ready as soon as one of them is."""
    if processes == 1:
        return
    until = time.monotonic() + TIMEOUT_SECONDS
    while [accepts_connections(pid, port) for pid in list_server_processes(program)] != [True] * processes:
        assert time.monotonic() < until, f"Not every process started: {program.errors}"
        time.sleep(0.05)
