"""Background work of a process: deferred calls, e-mails and housekeeping."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt import __version__
from glific_gpt.calls.deferred.recovery import requeue_orphans
from glific_gpt.clock import Deadline
from glific_gpt.durable import WorkflowContext
from glific_gpt.emails import outbox
from glific_gpt.emails import recovery as email_recovery
from glific_gpt.metrics import recording
from glific_gpt.operations import secret_monitor
from glific_gpt.operations.housekeeping import (
    Tasks,
    check_alerts,
    prune_calls,
    run_housekeeping,
    run_tasks,
    write_token_uses,
)
from glific_gpt.runtime import file_descriptors
from glific_gpt.services import services

STOP_TIMEOUT_SECONDS = 8
"""How long running work may take to end. Other processes continue work that takes longer."""
LATE_ANSWERS_SECONDS = 6.0
"""The part of this time in which the last answers of OpenAI may arrive."""
EXIT_AFTER_SECONDS = 9.0
"""The process exits after this time, even if the database does not answer."""

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
HEAD_START_SECONDS = 0.5
RETRY_SECONDS = 5.0
HOUSEKEEPING_INTERVAL_SECONDS = 60.0
CONSUMER_RETRY_SECONDS = 1.0

log = structlog.get_logger()


def start_worker(app: Flask, *, consumes: bool) -> None:
    """Start deferred work and housekeeping in threads, so that an unavailable database does not stop the server.

    Returns after a short head start for the launch, which would slow down the first calls.
    """
    # Daemon threads, because both may run for ever, and must not keep the process from ending.
    launching = threading.Thread(target=_launch_with_retries, args=(app, consumes), daemon=True)
    launching.start()
    threading.Thread(target=_run_housekeeping_loop, args=(app,), daemon=True).start()
    secret_monitor.start(app)
    launching.join(HEAD_START_SECONDS)


def stop_worker(app: Flask) -> None:
    """Wait for answers that this process has promised, then for running work, at most STOP_TIMEOUT_SECONDS in all.

    Some of this time is left for the work, which delivers the answers that have just arrived.
    """
    deadline = Deadline.after(STOP_TIMEOUT_SECONDS)
    with app.app_context():
        services().pipeline.deferrer.late_answers.wait(LATE_ANSWERS_SECONDS)
        services().engine.stop(round(deadline.remaining()))
    with suppress(SQLAlchemyError):
        write_token_uses(app)


def run_standalone(app: Flask) -> None:
    """Work until SIGTERM or SIGINT, and exit the process within ten seconds after it."""
    # The signals are blocked and waited for: a handler runs only between two steps of the main thread, so a signal that
    # arrives just before the thread waits would be noticed only at the next signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    recording.start("worker")
    file_descriptors.raise_limit()
    file_descriptors.FileDescriptorMonitor().start_in_thread()
    if _wait_until_consumer(app):
        start_worker(app, consumes=True)
        log.info("worker_started", version=__version__)
        sys.stderr.write("Working on deferred calls and e-mails. Press Ctrl-C to stop.\n")
        signal.sigwait(STOP_SIGNALS)
        ending = threading.Thread(target=stop_worker, args=(app,), daemon=True)
        ending.start()
        ending.join(EXIT_AFTER_SECONDS)
    sys.stderr.flush()
    # A normal exit would wait for threads that still wait for OpenAI. Another process repeats their work.
    os._exit(0)


def _wait_until_consumer(app: Flask) -> bool:
    """Wait until this process may consume the queue. Returns False after a stop signal."""
    with app.app_context():
        engine = services().engine
    if not engine.try_become_consumer():
        sys.stderr.write("Another process works on the deferred calls of this database. Waiting until it ends.\n")
    while not engine.try_become_consumer():
        if signal.sigtimedwait(STOP_SIGNALS, CONSUMER_RETRY_SECONDS):
            return False
    # The signals are blocked, so one that arrived meanwhile is pending.
    return not signal.sigpending() & STOP_SIGNALS


def launch_engine(app: Flask, *, consumes: bool) -> None:
    """Launch the workflow engine in this process. With `consumes` it takes work from the queue as soon as it may."""
    with app.app_context():
        app_services = services()
    engine = app_services.engine

    def run_workflow(subject: str, context: WorkflowContext) -> float | None:
        with app.app_context():
            if subject.startswith(outbox.ID_PREFIX):
                return app_services.email_workflow.run(subject, context)
            return app_services.deferred_workflow.run(subject, context)

    engine.launch(run_workflow, consumes=consumes)


def _launch_with_retries(app: Flask, consumes: bool) -> None:  # noqa: FBT001 - arguments of a thread
    while True:
        try:
            return launch_engine(app, consumes=consumes)
        except Exception as failure:  # noqa: BLE001 - without the engine no deferred call would be answered
            log.error("worker_start_failed", reason=type(failure).__name__, retry_after_seconds=RETRY_SECONDS)
        time.sleep(RETRY_SECONDS)


def _run_housekeeping_loop(app: Flask) -> None:
    """Run housekeeping once a minute, for ever."""
    while True:
        run_all_housekeeping(app)
        time.sleep(HOUSEKEEPING_INTERVAL_SECONDS)


def run_all_housekeeping(app: Flask) -> None:
    """Run every task once. One that fails does not stop the others."""
    with app.app_context():
        engine = services().engine
    tasks: Tasks = {
        "write_token_uses": partial(write_token_uses, app),
        "requeue_deliveries": partial(requeue_orphans, engine),
        "requeue_emails": partial(email_recovery.requeue_orphans, engine),
        "delete_finished_work": engine.delete_finished,
    }
    succeeded = [run_tasks(app, tasks), run_housekeeping(app)]
    if all(succeeded):
        run_tasks(app, {"record_success": lambda: recording.housekeeping_succeeded(time.time())})
    run_tasks(app, {"check_alerts": partial(check_alerts, app)})
    run_tasks(app, {"prune_calls": partial(prune_calls, app)})  # last: it takes seconds if there are many old calls
