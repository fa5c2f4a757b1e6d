"""Command groups: plain error messages, a check of the migrations, and a clean end on SIGTERM."""

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

from glific_gpt.database import failures, migrations, transaction
from glific_gpt.errors import GlificGptError
from glific_gpt.operations import key_check
from glific_gpt.services import services

SIGTERM_EXIT_CODE = 128 + signal.SIGTERM
"""The exit code of a program that SIGTERM ended, by the convention of shells."""


@contextmanager
def exit_cleanly() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that `finally` blocks run as with Ctrl-C."""
    # Python allows only the main thread to set signal handlers.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _raise_exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _raise_exit(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(SIGTERM_EXIT_CODE)


Result = TypeVar("Result")

UNEXPECTED_ERROR = "The command failed unexpectedly ({}). Run it with 'flask --debug ...' to see the traceback."

# Click's own exceptions to end a command. A broken pipe is normal, for example with `| head`.
CLICK_EXITS = (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError)


class Group(AppGroup):
    """A command group with our error messages, such as `flask organizations`."""

    def command(  # type: ignore[override]  # Flask narrows click's, too
        self, *args: Any, **kwargs: Any
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """Register a command as click does.

        Use needs_database=False for a command that does not use the database, and needs_keys=True for one that encrypts
        a secret.
        """
        needs_database, needs_keys = kwargs.pop("needs_database", True), kwargs.pop("needs_keys", False)
        register = super().command(*args, **kwargs)

        def decorate(function: Callable[..., Any]) -> click.Command:
            checked = require_keys(function) if needs_keys else function
            return register(require_migrations(checked) if needs_database else checked)

        return decorate

    def invoke(self, ctx: click.Context) -> Any:
        with report_errors():
            return super().invoke(ctx)


def wrap_group(group: click.Group) -> Group:
    """Return another library's group with our error messages."""
    # A copy, because the group is global, and other apps wrap it too.
    commands = dict(group.commands)
    return Group(group.name, commands=commands, params=group.params, callback=group.callback, help=group.help)


@contextmanager
def report_errors() -> Iterator[None]:
    """Turn every error into a short message without addresses, values or a traceback, and exit code 1.

    With `flask --debug` unexpected errors keep their traceback.
    """
    try:
        yield
    except CLICK_EXITS:
        raise
    except GlificGptError as error:
        raise click.ClickException(error.administrator_message) from None
    except SQLAlchemyError as error:
        raise click.ClickException(failures.describe(error).message) from None
    except Exception as error:
        if get_debug_flag():
            raise
        raise click.ClickException(UNEXPECTED_ERROR.format(type(error).__name__)) from None


def require_keys(function: Callable[..., Result]) -> Callable[..., Result]:
    """Wrap a command so that it fails with other encryption keys than those of the database."""

    @wraps(function)
    def run_with_keys(**values: Any) -> Result:
        key_check.require_keys(services().vault)
        return function(**values)

    return run_with_keys


def require_migrations(function: Callable[..., Result]) -> Callable[..., Result]:
    """Wrap a command so that it raises click.ClickException if migrations are missing."""

    @wraps(function)
    def run_if_current(**values: Any) -> Result:
        with transaction() as session:
            is_current = migrations.are_current(session.connection())
        if not is_current:
            raise click.ClickException(failures.MIGRATIONS_MISSING.message)
        g.actor = "command line"  # for audit entries
        return function(**values)

    return run_if_current
