"""The production server: uvicorn in this process, or in several that it looks after, until it is told to stop."""

import gc
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

import config
from glific_gpt.errors import SettingsError
from glific_gpt.settings import Settings

if TYPE_CHECKING:
    from glific_gpt.server.asgi import Serving

STOP_SECONDS = 9
"""How long calls under way may take to end after SIGTERM."""
END_SECONDS = 10.0
"""After these a process ends, whatever it waits for."""

SPARE = 50
"""Threads beyond the calls that may be held, so that the next one is told so, and health is answered."""

KEEP_SECONDS = 75
"""How long a connection is kept that nobody uses. Proxies keep theirs for up to a minute: they should end it."""

BACKLOG = 4096
"""Connections that wait to be accepted."""

PATIENCE = 5
"""Seconds that one of several processes may be silent until it is taken for dead: Glific waits no longer either."""

REPLACES = "REPLACES_A_PROCESS"
"""The variable that tells a process that it is not one of the first."""

STOPPING = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Starts from the environment alone: nothing is created or migrated."""
    try:
        run(config.load(instance=None))
    except SettingsError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:  # before it serves; after that, uvicorn sees to it
        pass
    leave()


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises SettingsError when the address is taken, or nothing can be served."""
    _allow_many_files()
    config.limit_name_resolution()
    with _listen(settings.bind) as listener:
        if settings.processes > 1:
            _serve_together(settings.processes, listener)
        else:
            _serve_alone(settings, listener)


def leave() -> None:
    """Ends this process at once: a thread that waits for somebody would keep it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def load() -> "Serving":
    """What one of several processes serves. It ends when the one that has started it is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        return _serving(config.load())
    except SettingsError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1 if REPLACES in os.environ else STARTUP_FAILURE)


def _serve_alone(settings: Settings, listener: socket.socket) -> None:
    server = Server(_uvicorn(_serving(settings)))
    for number in STOPPING:  # uvicorn takes them over later, and raises them once more when it has ended
        signal.signal(number, server.handle_exit)
    server.run([listener])


def _serve_together(processes: int, listener: socket.socket) -> None:
    """Ends with 1 when they have said why they cannot start."""
    supervisor = _Supervisor(_uvicorn("glific_gpt.server.supervisor:load", processes), [listener])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(1)


class _Supervisor(Multiprocess):
    def init_processes(self) -> None:
        """What these cannot do ends the server. One that comes later is begun again until it can: the others serve."""
        super().init_processes()
        os.environ[REPLACES] = "1"


def _uvicorn(app: "Serving | str", processes: int = 1) -> Config:
    return Config(
        app,
        factory=isinstance(app, str),
        workers=processes,
        interface="asgi3",
        loop="uvloop",
        http="glific_gpt.server.http_protocol:HttpProtocol",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        timeout_worker_healthcheck=PATIENCE,
    )


def _serving(settings: Settings) -> "Serving":
    """Raises SettingsError."""
    # Not before: a process that serves needs all of it, one that looks after others next to nothing.
    from glific_gpt.app import create_app
    from glific_gpt.database import migrations
    from glific_gpt.operations import worker
    from glific_gpt.server.asgi import Serving
    from glific_gpt.server.warm_up import warm_up
    from glific_gpt.services import services

    app = create_app(settings, commands=False)
    with app.app_context():
        migrations.require_current()
        known = services()
    warm_up(app, settings, known.vault)
    worker.begin(app, listens=settings.worker == "inline")
    stop = _Stop(lambda: worker.end(app))
    gc.freeze()  # what is there now stays, and need not be looked through again and again
    threads = settings.max_in_flight + SPARE
    return Serving(app, lambda name: not known.functions.blocks(name), threads, stop.notice, stop.wait)


class _Stop:
    """What ends beside the calls, and begins to as soon as the process is told to stop."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._ending = threading.Thread(target=end, daemon=True)
        self._is_told = False

    def notice(self) -> None:
        """From now on, beside uvicorn, which has taken the signals over before."""
        for number in STOPPING:
            signal.signal(number, partial(self._told, signal.getsignal(number)))

    def _told(self, uvicorn: Any, number: int, frame: FrameType | None) -> None:
        if not self._is_told:
            self._is_told = True
            self._ending.start()
            threading.Thread(target=_end_in_time, daemon=True).start()
        uvicorn(number, frame)

    def wait(self) -> None:
        if self._is_told:
            self._ending.join()


def _end_in_time() -> None:
    time.sleep(END_SECONDS)
    leave()


def _allow_many_files() -> None:
    """Each call holds two connections, and the soft limit of most systems is 1,024 files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end_with_parent() -> None:
    """A killed server must not leave a process behind that holds its port."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _listen(bind: str) -> socket.socket:
    """At the IP address and port that `bind` means: who connects now waits until this server answers. Raises
    SettingsError when they cannot be listened on."""
    host, _, port = bind.rpartition(":")
    refused = SettingsError(f"The address {bind} is taken or not of this machine: choose another.")
    if int(port) > config.LAST_PORT:
        raise refused
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()  # "::" means IPv4 too, as elsewhere
        return socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError:
        raise refused from None


if __name__ == "__main__":
    main()
