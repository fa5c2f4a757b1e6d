"""Ending in an orderly way: who stops a command in its middle finds nothing left open by it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, NoReturn, TypeVar

import click
from flask import g
from flask.cli import AppGroup
from flask.helpers import get_debug_flag
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.database import migrations, transaction
from glific_gpt.errors import GlificGptError

STOPPED = 128 + signal.SIGTERM
"""The exit code that shells give a program that was stopped so."""


@contextmanager
def orderly_end() -> Iterator[None]:
    """While inside, SIGTERM runs what stands in `finally`, as Ctrl-C does."""
    # Python lets no other thread say what signals do.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(STOPPED)


Answer = TypeVar("Answer")

BEHIND = "The database has not all its tables: run 'flask db upgrade'."
UNUSABLE = (
    "The database cannot be used ({}): check GLIFIC_GPT_DATABASE_URL, and that the database runs and has "
    "time to answer."
)
UNEXPECTED = "The command broke in a way that nobody thought of ({}): 'flask --debug ...' shows where."

# Click's own ways of ending a command; a broken pipe is somebody's `| head`.
ENDINGS = (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError)


class Group(AppGroup):
    """A group such as `flask organizations`, for every command of ours."""

    def command(  # type: ignore[override]  # Flask narrows click's, too
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """As click's; a command that never touches the database says needs_database=False."""
        needs_database = kwargs.pop("needs_database", True)
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(when_ready(function) if needs_database else function)

    def invoke(self, ctx: click.Context) -> Any:
        with plain_failures():
            return super().invoke(ctx)


def plainly_failing(group: click.Group) -> Group:
    """Somebody else's group, with its failures said as ours are."""
    return Group(group.name, commands=group.commands, params=group.params, callback=group.callback, help=group.help)


@contextmanager
def plain_failures() -> Iterator[None]:
    """Turns whatever goes wrong into one sentence without addresses, values or a traceback, and exit code 1."""
    try:
        yield
    except ENDINGS:
        raise
    except GlificGptError as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        raise click.ClickException(UNUSABLE.format(type(error).__name__)) from None
    except Exception as error:
        if get_debug_flag():
            raise
        raise click.ClickException(UNEXPECTED.format(type(error).__name__)) from None


def when_ready(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """The command, once the database has every migration. Raises click.ClickException before."""

    @wraps(function)
    def checked(**values: Any) -> Answer:
        with transaction() as session:
            ready = migrations.are_current(session.connection())
        if not ready:
            raise click.ClickException(BEHIND)
        g.actor = "command line"
        return function(**values)

    return checked
