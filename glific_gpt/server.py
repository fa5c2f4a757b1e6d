"""The production server: runs Granian's processes, which check that they can serve, until it is told to stop."""

import gc
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn

from granian.constants import Interfaces
from granian.server.mp import MPServer

import config
from glific_gpt.errors import SettingsError
from glific_gpt.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

STOP_SECONDS = 9
"""How long calls under way may take to end after SIGTERM."""

SPARE = 50
"""Beyond the calls that may be held, so that the next one is told so, and health is answered."""

WATCH_SECONDS = 0.2

_stopping = mmap.mmap(-1, 1)
"""One byte that the server shares with its processes: whether it was told to stop."""

_refused = mmap.mmap(-1, 1)
"""Another one: whether a process has said why it cannot start."""


def main() -> None:
    """Starts from the environment alone: nothing is created or migrated."""
    try:
        run(config.load(instance=None))
    except SettingsError as error:
        sys.exit(f"Error: {error}")


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises SettingsError when the address is taken, and ends with 1 when a process
    finds that it cannot start."""
    host, port = _free_address(settings.bind)
    _allow_many_files()
    _Server(
        "wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=settings.processes,
        backpressure=_held(settings),
        backlog=4096,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_enabled=False,
    ).serve(target_loader=_load, wrap_loader=False)
    if _refused[0]:
        sys.exit(1)


class _Server(MPServer):
    """Tells its processes at once that they are to stop: they take no more durable work while calls end."""

    def signal_handler_interrupt(self, *arguments: Any, **options: Any) -> None:
        _stopping[0] = 1
        super().signal_handler_interrupt(*arguments, **options)  # type: ignore[no-untyped-call]


def _load() -> Any:
    """The app, in a process of its own, which ends when the one that started it is gone."""
    # Ctrl-C reaches every process; one that is told to stop a second time by its parent would not stop at all.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    config.limit_name_resolution()
    try:
        return _serving(config.load())
    except SettingsError as error:
        _refuse(error)


def _serving(settings: Settings) -> Any:
    """Raises SettingsError."""
    # Not before: a process that serves needs all of it, the one that has started it next to nothing.
    from glific_gpt import worker
    from glific_gpt.app import create_app
    from glific_gpt.calls.warming import warm_up
    from glific_gpt.database import migrations
    from glific_gpt.services import services
    from glific_gpt.serving import Serving

    app = create_app(settings, commands=False)
    with app.app_context():
        migrations.require_current()
        known = services()
    warm_up(app, settings, known.vault)
    worker.begin(app, listens=settings.worker == "inline")
    threading.Thread(target=_stop_with_parent, args=(app,), daemon=True).start()
    gc.freeze()  # what is there now stays, and need not be looked through again and again
    return Serving(app, lambda name: not known.functions.blocks(name), _held(settings))


def _refuse(error: SettingsError) -> NoReturn:
    """Says why nothing can be served, once, and ends the server."""
    if not _refused[0]:
        _refused[0] = 1
        sys.stderr.write(f"Error: {error}\n")
        sys.stderr.flush()
    os.kill(os.getppid(), signal.SIGTERM)
    os._exit(1)


def _held(settings: Settings) -> int:
    return settings.max_in_flight + SPARE


def _allow_many_files() -> None:
    """Each call holds two connections, and the soft limit of most systems is 1,024 files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end_with_parent(parent: int) -> None:
    """A killed server must not leave a process behind that holds its port."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def _stop_with_parent(app: "Flask") -> None:
    from glific_gpt import worker

    while not _stopping[0]:
        time.sleep(WATCH_SECONDS)
    worker.end(app)


def _free_address(bind: str) -> tuple[str, int]:
    """The IP address and port that `bind` means. Raises SettingsError when they cannot be listened on."""
    host, _, port = bind.rpartition(":")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address[0], int(port)))
    except (OSError, OverflowError):
        raise SettingsError(f"The address {bind} is taken or not of this machine: choose another.") from None
    return str(address[0]), int(port)


if __name__ == "__main__":
    main()
