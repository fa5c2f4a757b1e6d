"""One server process: its app, its threads, and its end."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn.config import STARTUP_FAILURE

import config
from glific_gpt import __version__, logging
from glific_gpt.errors import SettingsError
from glific_gpt.runtime import garbage_collector
from glific_gpt.server.processes import INTERRUPT, IS_LATER, IS_REPLACEMENT
from glific_gpt.settings import Settings

if TYPE_CHECKING:
    from glific_gpt.server.asgi import AsgiBridge

FORCED_EXIT_SECONDS = 10.0
"""The process exits this long after SIGTERM, even if a thread is still waiting for a database or a network."""

LATE_WRITES_SECONDS = 2.0
"""How long a process that ends waits for a database that did not accept the results of calls."""

SWITCH_INTERVAL_SECONDS = 0.001
"""How long a thread may keep Python's lock while others wait for it; Python's default is five times as long.

The event loop takes the lock for each event. Beside 24 clients that load pages, a webhook call took 87 to 96 ms with
the default, 19 ms with this value, and 30 ms with a fifth of it (median of 150 calls, SQLite, two cores).
"""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def create_process_app() -> "AsgiBridge":
    """Create the ASGI app of one of several processes, which exits when its supervisor is gone."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # uvicorn's handler would only end the server after the app is loaded. No call is running yet, so exit immediately.
    handler = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        return create_asgi_app(config.load())
    except SettingsError as error:
        logging.report_failed_start(str(error))
        # uvicorn's supervisor stops the whole server when a process exits with STARTUP_FAILURE.
        sys.exit(1 if IS_REPLACEMENT in os.environ else STARTUP_FAILURE)
    finally:
        signal.signal(signal.SIGTERM, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPT)  # from now on uvicorn handles it


@garbage_collector.paused_for_start()
def create_asgi_app(settings: Settings) -> "AsgiBridge":
    """Create the app, check the database and the keys, and start the threads. Raises SettingsError."""
    # Imported here, so that the process of a supervisor stays small.
    from glific_gpt.accounts import first_administrator
    from glific_gpt.accounts.sign_in.sessions import PersonCookies
    from glific_gpt.app import create_app
    from glific_gpt.database import large_writes, migrations
    from glific_gpt.database.engines import parse_url
    from glific_gpt.metrics import recording
    from glific_gpt.operations import key_check, worker
    from glific_gpt.runtime import call_threads, cpu_bound
    from glific_gpt.server.asgi import AsgiBridge
    from glific_gpt.server.options import ServerOptions
    from glific_gpt.server.request_threads import RequestThreads
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
    call_threads.start_threads()  # before anything uses them
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
    asgi_app = AsgiBridge(app, begin, end, options, RequestThreads(PersonCookies(app).has_person))
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


def exit_now() -> None:
    """Exit without waiting for threads, which may be waiting for a network or database."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
