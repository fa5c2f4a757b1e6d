"""The production server in processes of its own, with organizations in it, called over a socket."""

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
from tests.support.apps import create_app
from tests.support.programs import SERVER, TIMEOUT_SECONDS, Program, free_port, start
from tests.support.server import RunningServer
from tests.support.settings import ENCRYPTION_KEY, create_settings

SECRET_KEY = "made-up-for-a-served-test"


@dataclass
class ServerProcesses(RunningServer):
    """A server of several processes. Its app here is only the way to put organizations into its database."""

    program: Program
    port: int


@contextmanager
def run_server_processes(
    folder: Path, environ: dict[str, str] | None = None, **settings: Any
) -> Iterator[ServerProcesses]:
    """The server with these settings and further variables, once it is ready; `folder` takes what it writes."""
    port = free_port()
    known = {"secret_key": SECRET_KEY, "encryption_keys": ENCRYPTION_KEY, "bind": f"127.0.0.1:{port}"} | settings
    with (
        start(SERVER, folder, to_environment(**known) | (environ or {})) as program,
        open_database(**known) as server,
    ):
        processes = ServerProcesses(server.app, f"http://127.0.0.1:{port}", program, port)
        wait_until_ready(processes.url, program)
        yield processes


@contextmanager
def open_database(**settings: Any) -> Iterator[RunningServer]:
    """The way to the organizations of a server whose database this is; it serves nothing itself."""
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
            if httpx2.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {program.errors}")
