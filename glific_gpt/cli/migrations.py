"""flask db: the commands of Flask-Migrate, for newer databases too, with a question before a downgrade deletes data."""

import re
from typing import Any

import click

from glific_gpt.cli.group import Group, wrap_group
from glific_gpt.database import transaction
from glific_gpt.database.losses import list_losses
from glific_gpt.database.migrations import newest, read_revision

MSG_NEWER = "The database is newer than this version of the server. There is nothing to upgrade."


def wrap_migrations(group: click.Group) -> Group:
    """Return the group of Flask-Migrate with our error messages, and with our downgrade."""
    wrapped = wrap_group(group)
    wrapped.add_command(_confirmed(group.commands["downgrade"]))
    wrapped.add_command(_unless_newer(group.commands["upgrade"]))
    return wrapped


def _unless_newer(upgrade: click.Command) -> click.Command:
    """Return the command with nothing to do on a newer database, so that it can run before each start of a release."""
    original = upgrade.callback

    def upgrade_unless_newer(**values: Any) -> None:
        # With --sql the statements are printed, and the database is not asked.
        if not values.get("sql") and _current_revision() > newest():
            click.echo(MSG_NEWER, err=True)
            return
        assert original  # noqa: S101 - every command has one
        original(**values)

    return click.Command("upgrade", params=upgrade.params, callback=upgrade_unless_newer, help=upgrade.help)


def _confirmed(downgrade: click.Command) -> click.Command:
    original = downgrade.callback

    def confirm_and_downgrade(*, yes: bool, **values: Any) -> None:
        if not (yes or values.get("sql")):
            _confirm(str(values.get("revision") or "-1"))
        assert original  # noqa: S101 - every command has one
        original(**values)

    option = click.Option(["--yes"], is_flag=True, help="Do not ask for confirmation.")
    return click.Command(
        "downgrade",
        params=[*downgrade.params, option],
        callback=confirm_and_downgrade,
        help="Revert migrations: one, or all after REVISION. Asks first if that deletes data.",
    )


def _confirm(revision: str) -> None:
    """Name what is deleted and ask. Raises click.Abort if the answer is no, or if nobody answers."""
    current = _current_revision()
    losses = list_losses(current, _target(revision, current))
    if losses:
        click.echo(f"This deletes {_join(losses)}, with everything in there. A backup is the only way back.", err=True)
        click.confirm("Continue?", abort=True, err=True)


def _current_revision() -> int:
    with transaction() as session:
        return read_revision(session.connection())


_TARGET = re.compile(r"(head|\d+)?([+-]\d+)?")


def _target(revision: str, current: int) -> int:
    """Return the number of the revision to go back to. One that only Alembic understands counts as the first."""
    match = _TARGET.fullmatch(revision)
    if match is None:
        return 0
    name, offset = match.groups()
    start = {None: current, "head": newest()}.get(name)
    return max(0, (int(name) if start is None else start) + int(offset or 0))


def _join(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
