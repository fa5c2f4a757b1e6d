"""flask worker: work on deferred calls in a separate process."""

import sys

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from glific_gpt import logging
from glific_gpt.cli.group import report_errors, require_migrations
from glific_gpt.operations import key_check
from glific_gpt.operations import worker as work
from glific_gpt.services import services


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Work on deferred calls until the process is stopped.

    Takes the calls that webhooks accepted with ?mode=async or ?mode=auto, asks OpenAI, and resumes the waiting flows in
    Glific. On PostgreSQL you can start any number of workers on any machines. On SQLite one works and the others wait.
    Start the servers with GLIFIC_GPT_WORKER=separate if only workers should do this work.
    """
    try:
        with report_errors():
            _run_worker()
    except click.ClickException as error:
        logging.report_failed_start(error.message)
        sys.exit(1)


@require_migrations
def _run_worker() -> None:
    # The app itself, because `current_app` does not work in the threads of the worker.
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    key_check.require_keys(services().vault)
    work.run_standalone(app)
