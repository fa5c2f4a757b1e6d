"""flask worker: answers that come later, worked on apart from the servers."""

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from glific_gpt.cli.group import plain_failures, when_ready
from glific_gpt.operations import worker as work


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Work on answers that come later.

    Takes what webhooks have accepted with ?mode=async and ?mode=auto, asks OpenAI, and resumes the flows that wait
    in Glific, until it is told to stop. Start as many as you like on one PostgreSQL, on any machines; on SQLite one
    works and others wait. Servers that should leave the work to these are started with GLIFIC_GPT_WORKER=separate.
    """
    with plain_failures():
        _work()


@when_ready
def _work() -> None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    work.run_alone(app)
