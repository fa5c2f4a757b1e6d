"""Back a PostgreSQL database up with pg_dump, read its dump, and restore it with pg_restore."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import URL

from glific_gpt.durable import schema
from glific_gpt.errors import Conflict, InvalidValue
from glific_gpt.operations.backups.contents import (
    DELIVERIES,
    EMAILS,
    KEY_CHECK,
    MSG_DAMAGED,
    MSG_NOT_A_BACKUP,
    REVISIONS,
    Contents,
    Progress,
    parse_revision,
)
from glific_gpt.operations.backups.postgresql_programs import CONNECTION, Run, running
from glific_gpt.runtime.event_loop import blocking

MAGIC = b"PGDMP"
"""First bytes of a dump in pg_dump's custom format."""

DUMP, RESTORE = "pg_dump", "pg_restore"
POLL_SECONDS = 0.5

COPY_LINE = re.compile(rb'COPY (?:\S+\.)?"?(\w+)"? \((.*)\) FROM stdin;\n')
"""Begins the rows of a table in the text of a dump. A line with only `\\.` ends them."""
END_LINE = b"\\.\n"

SKIPPED_ENTRIES = re.compile(rf" SCHEMA (- )?public | TABLE DATA \S+ {REVISIONS} ")
"""Entries of a dump that are not restored: the schema `public`, which every database has, and the revision, which is
written at the end, so that no server starts on a database that is not complete."""


def dump(url: URL, own_schema: str, target: Path, progress: Progress) -> None:
    """Write our tables and those of the workflow engine in one snapshot. Raises Conflict if pg_dump fails."""
    command = [
        DUMP,
        CONNECTION,
        "--format=custom",
        "--no-password",
        f'--schema="{own_schema}"',
        f'--schema="{schema.POSTGRESQL_SCHEMA}"',
        f"--file={target}",
    ]
    with running(command, url) as run:
        while _is_running(run):
            progress("Writing bytes", target.stat().st_size, 0)
        if run.process.returncode:
            raise Conflict(f"pg_dump has failed ({run.find_reason()}). No backup was written.")


@blocking
def _is_running(run: Run) -> bool:
    try:
        run.process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


@blocking
def read_contents(path: Path) -> Contents:
    """Read the whole dump, and count its rows. Raises InvalidValue if it is damaged, or not one of this server."""
    rows: dict[str, int] = {}
    kept: dict[tuple[str, str], str] = {}
    waiting = 0
    with running([RESTORE, "--data-only", "--file=-", str(path)]) as run:
        for table, columns, values in _read_rows(run):
            rows.setdefault(table, 0)
            if values is None:
                continue
            rows[table] += 1
            if table == DELIVERIES:
                waiting += values.split(b"\t")[columns.index("state")] == b"waiting"
            elif table in (REVISIONS, KEY_CHECK):
                kept |= {
                    (table, column): value.decode() for column, value in zip(columns, values.split(b"\t"), strict=True)
                }
        if run.process.wait():
            raise InvalidValue(MSG_DAMAGED.format(run.find_reason()))
    if (REVISIONS, "version_num") not in kept:
        raise InvalidValue(MSG_NOT_A_BACKUP)
    revision = parse_revision(kept[REVISIONS, "version_num"])
    return Contents(revision, rows, waiting, rows.get(EMAILS, 0), kept.get((KEY_CHECK, "ciphertext")))


def _read_rows(run: Run) -> Iterator[tuple[str, list[str], bytes | None]]:
    """Yield table, columns and line of each row. The line of the first one of each table is None."""
    table = ""
    columns: list[str] = []
    for line in run.output:
        if not table:
            if match := COPY_LINE.fullmatch(line):
                table, columns = match[1].decode(), match[2].decode().replace('"', "").split(", ")
                yield table, columns, None
        elif line == END_LINE:
            table = ""
        else:
            yield table, columns, line.rstrip(b"\n")


def restore(url: URL, path: Path, progress: Progress) -> None:
    """Restore all tables except the revision, in one transaction. Raises Conflict if pg_restore fails."""
    size = path.stat().st_size
    with tempfile.NamedTemporaryFile("w", suffix=".list") as entries, path.open("rb") as file:
        entries.write(_list_entries(path))
        entries.flush()
        command = [
            RESTORE,
            CONNECTION,
            "--no-password",
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            f"--use-list={entries.name}",
        ]
        with running(command, url, file) as run:
            while _is_running(run):
                # pg_restore moves the same position.
                progress("Restoring bytes", os.lseek(file.fileno(), 0, os.SEEK_CUR), size)
            if run.process.returncode:
                raise Conflict(f"pg_restore has failed ({run.find_reason()}). Nothing was restored.")


@blocking
def _list_entries(path: Path) -> str:
    """Return the table of contents of the dump, without the entries that are not restored."""
    with running([RESTORE, "--list", str(path)]) as run:
        lines = [line.decode() for line in run.output]
        if run.process.wait():
            raise InvalidValue(MSG_DAMAGED.format(run.find_reason()))
    return "".join(line for line in lines if not SKIPPED_ENTRIES.search(line))
