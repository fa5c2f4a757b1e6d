"""The production server: uvicorn in this process, or in several processes that this one supervises."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE

import config
from glific_gpt import __version__, logging
from glific_gpt.errors import SettingsError
from glific_gpt.runtime import file_descriptors, garbage_collector
from glific_gpt.server.processes import (
    HEALTHCHECK_TIMEOUT_SECONDS,
    INTERRUPT,
    IS_LATER,
    IS_REPLACEMENT,
    LISTEN_FAILURE,
    ProcessSupervisor,
)
from glific_gpt.settings import Settings

if TYPE_CHECKING:
    from glific_gpt.server.asgi import AsgiBridge

GRACEFUL_SHUTDOWN_SECONDS = 9
"""How long running calls may take to end after SIGTERM."""
FORCED_EXIT_SECONDS = 10.0
"""The process exits this long after SIGTERM, even if a thread is still waiting for a database or a network."""

LATE_WRITES_SECONDS = 2.0
"""How long a process that ends waits for a database that did not accept the results of calls."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept open.

Proxies close theirs after up to 60 seconds, and must be first. So must Glific: its client (hackney) reuses a connection
for 60 seconds, and does not repeat a request on one that was closed meanwhile.
"""

BACKLOG = 4096
"""Connections that wait to be accepted."""
ACCEPTED_PER_PASS = 8
"""Connections that the event loop accepts in one pass."""

SWITCH_INTERVAL_SECONDS = 0.001
"""How long a thread may keep Python's lock while others wait for it; Python's default is five times as long.

The event loop takes the lock for each event. Beside 24 clients that load pages, a webhook call took 87 to 96 ms with
the default, 19 ms with this value, and 30 ms with a fifth of it (median of 150 calls, SQLite, two cores).
"""

MSG_CANNOT_LISTEN = "The server cannot listen on {}: it is in use, or not an address of this machine."

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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
    with _bind(settings.bind) as listener:
        if settings.processes > 1:
            _serve_with_processes(settings, listener)
        else:
            _serve_in_this_process(settings, listener)


def exit_now() -> None:
    """Exit without waiting for threads, which may be waiting for a network or database."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def create_process_app() -> "AsgiBridge":
    """Create the ASGI app of one of several processes, which exits when its supervisor is gone."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # uvicorn's handler would only end the server after the app is loaded. No call is running yet, so exit immediately.
    handler = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        return _create_asgi_app(config.load())
    except SettingsError as error:
        logging.report_failed_start(str(error))
        # uvicorn's supervisor stops the whole server when a process exits with STARTUP_FAILURE.
        sys.exit(1 if IS_REPLACEMENT in os.environ else STARTUP_FAILURE)
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPT)  # from now on uvicorn handles it


def _serve_in_this_process(settings: Settings, listener: socket.socket) -> None:
    server = Server(_uvicorn_config(_create_asgi_app(settings), listener))
    for number in STOP_SIGNALS:  # until uvicorn installs its own handlers, which raise the signal again after shutdown
        signal.signal(number, server.handle_exit)
    try:
        server.run(duplicate(listener))
    except _CannotListen:
        raise SettingsError(MSG_CANNOT_LISTEN.format(settings.bind)) from None


def _serve_with_processes(settings: Settings, listener: socket.socket) -> None:
    """Exits with status 1 if the processes cannot start; each has reported why. Raises SettingsError."""
    logging.configure(settings.log_level)
    file_descriptors.FileDescriptorMonitor().start_in_thread()
    uvicorn_config = _uvicorn_config(
        "glific_gpt.server.supervisor:create_process_app", listener, processes=settings.processes
    )
    supervisor = ProcessSupervisor(uvicorn_config, duplicate(listener))
    supervisor.run()
    if supervisor.cannot_listen:
        raise SettingsError(MSG_CANNOT_LISTEN.format(settings.bind))
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)


def duplicate(listener: socket.socket) -> list[socket.socket]:
    """Return the listening socket with its duplicates, as many as connections are accepted in one pass.

    libuv, on which uvloop is built, accepts one connection of each socket in a pass of the loop
    (https://github.com/libuv/libuv/pull/3696). With one socket, a connection that arrived after a thousand others
    waited for a thousand passes.
    """
    return [listener, *(listener.dup() for _ in range(ACCEPTED_PER_PASS - 1))]


class _CannotListen(Exception):
    """Another server was faster: two sockets can have the same address as long as none listens."""


class ServerConfig(Config):
    """Lets the socket listen when the app is loaded.

    uvloop, which would do it, ignores an address in use: the server would run and never get a connection.
    """

    def __init__(self, app: "AsgiBridge | str", listener: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self._listener = listener

    def load(self) -> None:
        """Load the app, and listen. If that fails, one of several processes exits with LISTEN_FAILURE."""
        super().load()
        try:
            self._listener.listen(self.backlog)
        except OSError:
            if self.use_subprocess:
                sys.exit(LISTEN_FAILURE)
            raise _CannotListen from None


def _uvicorn_config(app: "AsgiBridge | str", listener: socket.socket, *, processes: int = 1) -> Config:
    # uvicorn imports the app by name in each of several processes, and calls it as a factory.
    return ServerConfig(
        app,
        listener,
        factory=isinstance(app, str),
        workers=processes,
        interface="asgi3",
        loop="uvloop",
        http="glific_gpt.server.http_protocol:HttpProtocol",
        ws="none",
        lifespan="on",  # with "auto", uvicorn serves even if the start-up fails
        log_config=None,  # uvicorn would install its own handlers, which write lines that are not JSON and not redacted
        log_level="error",
        access_log=False,  # the webhook logs each call itself
        proxy_headers=False,  # login_throttle.py reads X-Forwarded-For, by the number of trusted proxies
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=HEALTHCHECK_TIMEOUT_SECONDS,
    )


@garbage_collector.paused_for_start()
def _create_asgi_app(settings: Settings) -> "AsgiBridge":
    """Raises SettingsError."""
    # Imported here, so that the process of a supervisor stays small.
    from glific_gpt.accounts import first_administrator
    from glific_gpt.app import create_app
    from glific_gpt.database import large_writes, migrations
    from glific_gpt.database.engines import parse_url
    from glific_gpt.metrics import recording
    from glific_gpt.operations import key_check, worker
    from glific_gpt.runtime import bridge, cpu_bound
    from glific_gpt.server.asgi import AsgiBridge
    from glific_gpt.server.options import ServerOptions
    from glific_gpt.server.warm_up import warm_up
    from glific_gpt.services import services

    app = create_app(settings, commands=False)
    recording.start("server")
    with app.app_context():
        app_services = services()
        migrations.require_current()
        key_check.require_keys(app_services.vault)
        set_up_link = None if IS_LATER in os.environ else first_administrator.create_link()
        app_services.pipeline.deferrer.late_answers.start()
    bridge.start_threads()  # before anything uses them
    cpu_bound.start_thread()
    large_writes.start_thread()
    warm_up(app, app_services)
    worker.start_worker(app, consumes=settings.worker == "inline")
    shutdown = _Shutdown(lambda: worker.stop_worker(app))

    def begin() -> None:
        shutdown.watch_signals()
        structlog.get_logger().info(
            "server_started",
            version=__version__,
            database=parse_url(settings.database_url).get_backend_name(),
            bind=settings.bind,
            processes=settings.processes,
            worker=settings.worker,
        )
        if set_up_link:
            structlog.get_logger().warning("administrator_missing", set_up_link=logging.Unredacted(set_up_link))

    def end() -> None:
        shutdown.wait()
        app_services.pipeline.late_writes.wait(LATE_WRITES_SECONDS)

    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    options = ServerOptions.from_settings(settings)
    asgi_app = AsgiBridge(app, begin, end, options)
    asgi_app.start_threads()
    return asgi_app


class _Shutdown:
    """Ends the worker as soon as a stop signal arrives, while uvicorn ends the calls."""

    def __init__(self, end_worker: Callable[[], None]) -> None:
        self._ending = threading.Thread(target=end_worker, daemon=True)
        self._has_begun = False

    def watch_signals(self) -> None:
        """Handle the stop signals before uvicorn's own handlers, which are called afterwards."""
        for number in STOP_SIGNALS:
            signal.signal(number, partial(self._on_signal, signal.getsignal(number)))

    def wait(self) -> None:
        """Wait until the worker has ended."""
        if self._has_begun:
            self._ending.join()

    def _on_signal(self, uvicorn_handler: Any, number: int, frame: FrameType | None) -> None:
        if not self._has_begun:  # a second Ctrl-C makes uvicorn stop waiting, but a thread can be started only once
            self._has_begun = True
            self._ending.start()
            threading.Thread(target=_exit_after_time_limit, daemon=True).start()
        uvicorn_handler(number, frame)


def _exit_after_time_limit() -> None:
    time.sleep(FORCED_EXIT_SECONDS)
    exit_now()


def _exit_with_parent() -> None:
    """Exit when the supervisor is killed: an orphaned process would keep the port."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _bind(bind: str) -> socket.socket:
    """Return a socket with the address, which does not listen yet. Raises SettingsError.

    uvicorn lets it listen when the app is loaded. A server that cannot start therefore takes no connection, which a
    load balancer would send to it.
    """
    host, _, port = bind.rpartition(":")
    refused = SettingsError(MSG_CANNOT_LISTEN.format(bind))
    # getaddrinfo would take another port for a larger number: 4464 for 70000.
    if int(port) > config.MAX_PORT:
        raise refused
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server may be ending
        if family == socket.AF_INET6:  # "::" includes IPv4, as in other servers
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not socket.has_dualstack_ipv6())
        listener.bind(address[:2])
    except OSError:
        raise refused from None
    return listener
