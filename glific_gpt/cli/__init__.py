"""The commands, as in 'flask organizations list'."""

from typing import cast

import click
from flask import Flask

from glific_gpt.cli.api_tokens import api_tokens
from glific_gpt.cli.audit import audit
from glific_gpt.cli.calls import calls
from glific_gpt.cli.credentials import credentials
from glific_gpt.cli.doctor import doctor
from glific_gpt.cli.flows import flows
from glific_gpt.cli.glific import glific
from glific_gpt.cli.group import plainly_failing
from glific_gpt.cli.models import models
from glific_gpt.cli.organizations import organizations
from glific_gpt.cli.signature import signature
from glific_gpt.cli.tokens import tokens
from glific_gpt.cli.users import users
from glific_gpt.cli.worker import worker

GROUPS = (organizations, tokens, api_tokens, signature, credentials, glific, models, flows, calls, audit, users)


def register(app: Flask) -> None:
    """Gives the app its commands, and the migrations' own commands our way to fail."""
    for group in GROUPS:
        app.cli.add_command(group)
    app.cli.add_command(doctor)
    app.cli.add_command(worker)
    migrations = cast("click.Group", app.cli.commands["db"])
    app.cli.add_command(plainly_failing(migrations))
