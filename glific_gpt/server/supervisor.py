"""The production server: uvicorn in this process, or in several processes that this one supervises."""

import signal
import socket
import sys

from uvicorn import Server
from uvicorn.config import STARTUP_FAILURE

import config
from glific_gpt import logging
from glific_gpt.errors import SettingsError
from glific_gpt.runtime import file_descriptors
from glific_gpt.server.listening import (
    MSG_CANNOT_LISTEN,
    CannotListen,
    bind_socket,
    duplicate,
    uvicorn_config,
)
from glific_gpt.server.processes import ProcessSupervisor
from glific_gpt.server.serving_process import STOP_SIGNALS, create_asgi_app, exit_now
from glific_gpt.settings import Settings

PROCESS_APP = "glific_gpt.server.serving_process:create_process_app"


def main() -> None:
    """Run the server from the environment alone: nothing is created or migrated."""
    try:
        run(config.load(instance=None))
    except SettingsError as error:
        logging.report_failed_start(str(error))
        sys.exit(1)
    exit_now()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError if the address is taken, or the app cannot start."""
    file_descriptors.raise_limit()
    config.limit_name_resolution()
    with bind_socket(settings.bind) as listener:
        if settings.processes > 1:
            _serve_with_processes(settings, listener)
        else:
            _serve_in_this_process(settings, listener)


def _serve_in_this_process(settings: Settings, listener: socket.socket) -> None:
    server = Server(uvicorn_config(create_asgi_app(settings), listener))
    for number in STOP_SIGNALS:  # until uvicorn installs its own handlers, which raise the signal again after shutdown
        signal.signal(number, server.handle_exit)
    try:
        server.run(duplicate(listener))
    except CannotListen:
        raise SettingsError(MSG_CANNOT_LISTEN.format(settings.bind)) from None


def _serve_with_processes(settings: Settings, listener: socket.socket) -> None:
    """Exits with status 1 if the processes cannot start; each has reported why. Raises SettingsError."""
    logging.configure(settings.log_level)
    file_descriptors.FileDescriptorMonitor().start_in_thread()
    options = uvicorn_config(
        "glific_gpt.server.serving_process:create_process_app", listener, processes=settings.processes
    )
    supervisor = ProcessSupervisor(options, duplicate(listener))
    supervisor.run()
    if supervisor.cannot_listen:
        raise SettingsError(MSG_CANNOT_LISTEN.format(settings.bind))
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)
