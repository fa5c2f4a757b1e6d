"""What a process does beside being asked: answers that come later, and what is done by the clock."""

import os
import signal
import sys
import threading
import time

import structlog
from flask import Flask

from glific_gpt.calls.deferred.recovery import requeue_orphans
from glific_gpt.durable import Durable
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.services import services

STOP_SECONDS = 8
"""What is under way has so long to end, and is left to others then."""
END_SECONDS = 9.0
"""After these the process ends, whatever the database does."""

HEAD_START_SECONDS = 0.5
RETRY_SECONDS = 5.0
TIDY_SECONDS = 60.0
WAIT_SECONDS = 1.0

log = structlog.get_logger()


def begin(app: Flask, *, listens: bool) -> None:
    """Begins in threads of their own: a database that is away for a while must not keep a server from starting. They
    have a moment ahead, as the first calls would be slow beside them."""
    launching = threading.Thread(target=_launch_patiently, args=(app, listens), daemon=True)
    launching.start()
    threading.Thread(target=_keep_house, args=(app,), daemon=True).start()
    launching.join(HEAD_START_SECONDS)


def end(app: Flask) -> None:
    """Takes no more work, and waits for what is under way."""
    with app.app_context():
        services().engine.stop(STOP_SECONDS)


def run_alone(app: Flask) -> None:
    """Works until SIGTERM or SIGINT, and then ends the process within ten seconds."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if _has_turn(app, stopping):
        begin(app, listens=True)
        sys.stderr.write("Working on answers that come later. Ctrl-C ends it.\n")
        stopping.wait()
        ending = threading.Thread(target=end, args=(app,), daemon=True)
        ending.start()
        ending.join(END_SECONDS)
    sys.stderr.flush()
    os._exit(0)  # an answer that is still awaited would keep the process, and is another's to get


def _has_turn(app: Flask, stopping: threading.Event) -> bool:
    """Waits until no other process takes work from the queue, where there may be one alone."""
    with app.app_context():
        engine = services().engine
    if not engine.may_listen():
        sys.stderr.write("Another process works on this database's answers: this one waits for it to end.\n")
    while not engine.may_listen():
        if stopping.wait(WAIT_SECONDS):
            return False
    return not stopping.is_set()


def launch(app: Flask, *, listens: bool) -> None:
    """Begins durable work in this process, with the queue's if it is to take that, as soon as it may."""
    with app.app_context():
        engine, later = services().engine, services().later

    def work(call_id: str, durable: Durable) -> float | None:
        with app.app_context():
            return later.work(call_id, durable)

    engine.launch(work, listens=listens)


def _launch_patiently(app: Flask, listens: bool) -> None:  # noqa: FBT001 - of a thread
    while True:
        try:
            return launch(app, listens=listens)
        except Exception as failure:  # noqa: BLE001 - whatever it is: without this, nothing that was accepted is answered
            log.error("not_working", reason=type(failure).__name__, tried_again_after=RETRY_SECONDS)
        time.sleep(RETRY_SECONDS)


def _keep_house(app: Flask) -> None:
    """Tidies up once a minute, for ever."""
    with app.app_context():
        engine = services().engine
    while True:
        try:
            run_housekeeping(app)
            with app.app_context():
                requeue_orphans(engine)
            engine.forget_finished()
        except Exception as failure:  # noqa: BLE001 - the next minute comes
            log.warning("not_tidied", reason=type(failure).__name__)
        time.sleep(TIDY_SECONDS)
