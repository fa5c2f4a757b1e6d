"""Commands such as `flask organizations list`."""

import copy
from typing import NoReturn, cast

import click
from flask import Flask

from glific_gpt.cli.api_tokens import api_tokens
from glific_gpt.cli.audit import audit
from glific_gpt.cli.calls import calls
from glific_gpt.cli.contacts import contacts
from glific_gpt.cli.credentials import credentials
from glific_gpt.cli.database import database
from glific_gpt.cli.doctor import doctor
from glific_gpt.cli.flows import flows
from glific_gpt.cli.glific import glific
from glific_gpt.cli.migrations import wrap_migrations
from glific_gpt.cli.models import models
from glific_gpt.cli.organizations import organizations
from glific_gpt.cli.signature import signature
from glific_gpt.cli.tokens import tokens
from glific_gpt.cli.users import users
from glific_gpt.cli.worker import worker

GROUPS = (
    organizations,
    tokens,
    api_tokens,
    signature,
    credentials,
    glific,
    models,
    flows,
    calls,
    contacts,
    audit,
    users,
    database,
)


def register(app: Flask) -> None:
    """Add the commands to the app, and our error messages to the commands of Flask-Migrate."""
    for group in GROUPS:
        app.cli.add_command(group)
    app.cli.add_command(doctor)
    app.cli.add_command(worker)
    migrations = cast("click.Group", app.cli.commands["db"])
    app.cli.add_command(wrap_migrations(migrations))


def limit_to_help(app: Flask, error: Exception) -> None:
    """Let every command of the app fail with the error's message. Only --help still works."""

    def fail(**_values: object) -> NoReturn:
        raise click.ClickException(str(error))

    def without_callback(command: click.Command) -> click.Command:
        copied = copy.copy(command)  # the commands are global, and other apps use them
        if isinstance(copied, click.Group):
            copied.commands = {name: without_callback(each) for name, each in copied.commands.items()}
        else:
            copied.callback = fail
        return copied

    app.cli.commands = {name: without_callback(each) for name, each in app.cli.commands.items()}
