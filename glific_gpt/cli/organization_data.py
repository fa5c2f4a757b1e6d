"""flask organizations export and delete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from glific_gpt.cli.arguments import slug
from glific_gpt.cli.confirmation import confirm_by_typing
from glific_gpt.cli.group import exit_cleanly
from glific_gpt.cli.output import format_table, json_option, print_result, quantity
from glific_gpt.cli.progress import show_progress
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups.private_files import move_into_place, partial_file
from glific_gpt.operations.organization_data import deletion, export
from glific_gpt.operations.organization_data.contents import Contents, count_contents
from glific_gpt.organizations import store
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services


@slug
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
def export_(*, slug: str, file: Path, force: bool) -> None:
    """Export everything that is stored of an organization.

    FILE becomes a zip file with one file of JSON Lines for each kind of data: settings, members, tokens, keys, calls,
    deliveries, spending and the audit trail. It contains no secrets: no keys, passwords, tokens or signatures. Only you
    can read the file. Calls are answered during the export.
    """
    organization, contents = _find(slug)
    _require_absent(file, force=force)
    with exit_cleanly(), partial_file(file) as partial:
        export.record(organization)
        with _report_failure(file), partial.open("wb") as target:
            rows = _write(organization, contents, target)
        _require_absent(file, force=force)  # another program may have created it meanwhile
        move_into_place(partial, file)
    data = {"slug": slug, "file": str(file), "rows": rows, "bytes": file.stat().st_size}
    print_result(data, f"Exported {quantity(rows, 'row')} of {slug} to {file}.")


@slug
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def delete(*, slug: str, yes: bool) -> None:
    """Delete an organization and everything that is stored of it.

    Shows what is deleted, and asks for the slug. The organization is switched off at once, and its waiting answers are
    not delivered. Members who belong to no other organization lose their accounts. One audit entry with the slug stays.
    You cannot undo this. Backups that you have made still contain the organization.
    """
    organization, contents = _find(slug)
    if not yes:
        confirm_by_typing(slug, _describe(organization, contents))
    engine = services().engine
    try:
        with show_progress() as progress:
            count = _counter("Deleting calls", contents.rows.get("calls", 0), progress)
            deleted = deletion.delete_organization(engine, slug, on_rows=count)
    finally:
        engine.close()
    data = {"slug": slug, "deleted": contents.rows, "people_deleted": deleted.people}
    rows, accounts = quantity(contents.total, "row"), quantity(deleted.people, "account")
    print_result(data, f"{slug} is deleted, with {rows} and {accounts}.")


def _find(slug: str) -> tuple[Organization, Contents]:
    """Return the organization, and what is stored of it. Raises NotFound."""
    with transaction() as session:
        organization = store.find(session, slug)
        return organization, count_contents(session, organization.id)


def _require_absent(file: Path, *, force: bool) -> None:
    """Raises Conflict for an existing file, unless it is to be replaced, and InvalidValue for a folder."""
    if file.is_dir():
        raise InvalidValue(f"{file} is a folder. Give the name of a file.")
    if file.exists() and not force:
        raise Conflict(f"{file} exists already. Choose another name, or replace it with --force.")


@contextmanager
def _report_failure(file: Path) -> Iterator[None]:
    """Raises InvalidValue if the file cannot be written."""
    try:
        yield
    except OSError as failure:
        raise InvalidValue(f"{file} cannot be written: {failure.strerror}. Choose another place.") from None


def _write(organization: Organization, contents: Contents, target: IO[bytes]) -> int:
    """Write the export and return the number of its rows."""
    rows = 0
    with show_progress() as progress:
        show = _counter("Exporting rows", contents.total, progress)

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            show(more)

        for part in export.stream(organization, count):
            target.write(part)
    return rows


def _counter(phase: str, total: int, progress: Callable[[str, int, int], None]) -> Callable[[int], None]:
    """Return a function that adds up the numbers it gets, and shows the sum."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(phase, done, max(done, total))

    return count


def _describe(organization: Organization, contents: Contents) -> str:
    rows = [{"table": name.replace("_", " "), "rows": f"{count:,}"} for name, count in contents.rows.items()]
    parts = [f"This deletes {organization.slug} ({organization.name}) and everything that is stored of it:"]
    if rows:
        parts.append(format_table(rows, {"table": "TABLE", "rows": "ROWS"}))
    if contents.deleted_people:
        parts.append(
            "Accounts that are deleted, because they belong to no other organization: "
            + ", ".join(contents.deleted_people)
        )
    if contents.kept_people:
        parts.append(f"Members who keep their accounts: {', '.join(contents.kept_people)}")
    parts.append(
        "Waiting answers are not delivered. Backups still contain the organization. To keep a copy, export it first: "
        f"flask organizations export {organization.slug} FILE"
    )
    return "\n\n".join(parts)
