"""flask database: back the database up, restore it, and copy it to another one."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.cli.group import Group, exit_cleanly
from glific_gpt.cli.output import format_fields, format_table, json_option, print_result
from glific_gpt.cli.progress import show_progress
from glific_gpt.database import failures
from glific_gpt.database.engines import parse_url
from glific_gpt.errors import InvalidValue, SettingsError
from glific_gpt.operations.backups import backing_up, copying, restoring
from glific_gpt.operations.backups.contents import Contents
from glific_gpt.services import services

DELIVER, DROP = "deliver", "drop"
URL_VARIABLE = "GLIFIC_GPT_DATABASE_URL"

MSG_CHOOSE = (
    "Say what happens to waiting answers and e-mails of the backup: --deliver-waiting sends them after the start, "
    "--drop-waiting ends them."
)
MSG_OTHER_KEYS = (
    "Warning: the backup was encrypted with other keys than those in GLIFIC_GPT_ENCRYPTION_KEYS. Servers do not start "
    "until the keys are those of the backup. If they are lost, see 'flask credentials accept-keys --help'."
)
MSG_SOURCE_IN_USE = (
    "Warning: a server or worker uses this database. Calls from now on are not copied. Stop it and copy to another "
    "empty database if you need them."
)

MSG_REPLACED = "Warning: in {} texts, the character NUL was replaced by U+FFFD, because PostgreSQL cannot store it."

file = click.argument("file", type=click.Path(path_type=Path))

database = Group("database", help="Back the database up, restore it, and copy it to another one.")


@database.command("backup", needs_database=False)
@file
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
def back_up(file: Path, force: bool) -> None:  # noqa: FBT001
    """Write a backup of the whole database to FILE. Servers can run meanwhile.

    The backup is one moment of the database, with waiting answers and e-mails. For PostgreSQL this runs pg_dump, which
    must not be older than the server. The backup is read again completely before FILE appears. Only you can read FILE.
    It does not contain GLIFIC_GPT_ENCRYPTION_KEYS: keep those in another place.
    """
    with exit_cleanly(), show_progress() as progress:
        backup = backing_up.back_up(_own_url(), file, progress, replaces=force)
    facts = {
        "file": str(file),
        "database": backup.kind.value,
        "migration": f"{backup.contents.revision:04}",
        "bytes": backup.size,
        "seconds": round(backup.seconds, 2),
    }
    _print(f"Backed up {backup.kind.label}. The backup was read again and is complete.", facts, backup.contents)


@database.command("restore", needs_database=False)
@file
@click.option(
    "--deliver-waiting/--drop-waiting",
    "delivers",
    default=None,
    help="Send the backup's waiting answers and e-mails after the start, or end them. Without either, it asks.",
)
@json_option
def restore(file: Path, delivers: bool | None) -> None:  # noqa: FBT001
    """Restore FILE into the database of the settings, which must be empty.

    The database may have the tables of 'flask db upgrade', but no organization or user. Stop servers and workers first.
    A backup of an earlier release gets the missing migrations. If the restore fails, the database is empty again.

    Answers that flows got after the backup are waiting in it. With --deliver-waiting, a flow that still waits could get
    an answer twice. With --drop-waiting their calls are marked as interrupted, and no e-mail is sent.
    """
    if delivers is None and not sys.stdin.isatty():
        raise InvalidValue(MSG_CHOOSE)
    restoring.require_target(_own_url(), file)
    source = restoring.read_backup(file)
    delivers = _ask(source.contents) if delivers is None else delivers
    with exit_cleanly(), show_progress() as progress:
        restored = restoring.restore(_own_url(), source, progress, drops_waiting=not delivers)
    is_readable = source.contents.is_readable(services().vault)
    facts = {
        "file": str(file),
        "database": source.kind.value,
        "migration": f"{restored.revision:04}",
        "migration_of_backup": f"{source.contents.revision:04}",
        "waiting": DELIVER if delivers else DROP,
        "keys_match": is_readable,
        "seconds": round(restored.seconds, 2),
    }
    _print(f"Restored {source.kind.label}.", facts, source.contents)
    if not is_readable:
        click.echo(MSG_OTHER_KEYS, err=True)


def _ask(contents: Contents) -> bool:
    """Return whether to deliver what waits. Nobody is asked if nothing waits."""
    if not contents.has_waiting():
        return True
    click.echo(
        f"The backup has {contents.waiting_answers} waiting answers and {contents.waiting_emails} unsent e-mails. "
        "Flows may have got these answers after the backup.",
        err=True,
    )
    answer = click.prompt("Deliver them after the start, or drop them?", type=click.Choice([DELIVER, DROP]), err=True)
    return bool(answer == DELIVER)


@database.command("copy")
@click.option(
    "--to",
    "target",
    required=True,
    metavar="URL",
    help="Address of the new database, as in GLIFIC_GPT_DATABASE_URL.",
)
@json_option
def copy(target: str) -> None:
    """Copy everything to another database, from SQLite to PostgreSQL or back.

    The new database must be empty. It gets the tables first. Rows are counted and compared at the end, and nothing is
    stored if one differs. Stop the servers and workers before: calls after the beginning are not copied. Then start
    them with the new address, and never with the old one, or waiting answers are delivered twice.

    Other users of this machine can see a password in URL. Leave it out, and set PGPASSWORD or use ~/.pgpass.
    """
    with _errors_about_target():
        url = parse_url(target)
    if copying.is_in_use(_own_url()):
        click.echo(MSG_SOURCE_IN_USE, err=True)
    with exit_cleanly(), show_progress() as progress, _errors_about_target():
        copied = copying.copy(_own_url(), url, progress)
    facts = {
        "from": copied.source.value,
        "to": copied.target.value,
        "replaced_texts": copied.replaced_texts,
        "source_in_use": copied.source_in_use,
        "seconds": round(copied.seconds, 2),
    }
    headline = f"Copied {copied.source.label} to {copied.target.label}. All rows were compared and are the same."
    _print(headline, facts, copied.contents)
    if copied.replaced_texts:
        click.echo(MSG_REPLACED.format(copied.replaced_texts), err=True)


def _own_url() -> URL:
    return parse_url(services().settings.database_url)


@contextmanager
def _errors_about_target() -> Iterator[None]:
    """Let the sentence of an error name the option instead of the variable. Raises InvalidValue."""
    try:
        yield
    except SettingsError as error:
        raise InvalidValue(str(error).replace(URL_VARIABLE, "--to")) from None
    except SQLAlchemyError as error:
        raise InvalidValue(failures.describe(error).message.replace(URL_VARIABLE, "--to")) from None


def _print(headline: str, facts: Mapping[str, object], contents: Contents) -> None:
    """Print what was done, and the numbers of rows."""
    waiting = {"waiting_answers": contents.waiting_answers, "waiting_emails": contents.waiting_emails}
    found = [{"table": table, "rows": f"{rows:,}"} for table, rows in sorted(contents.rows.items()) if rows]
    table = format_table(found, {"table": "TABLE", "rows": "ROWS"})
    print_result(
        {**facts, **waiting, "rows": contents.rows}, f"{headline}\n{format_fields({**facts, **waiting})}\n\n{table}"
    )
