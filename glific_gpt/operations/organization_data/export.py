"""Export of an organization: a zip file with one file of JSON Lines for each kind of data, without secrets."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import Select, tuple_

import glific_gpt
from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import reading, transaction
from glific_gpt.operations.organization_data.tables import EXPORTED, TABLES, OrganizationTable
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import format_timestamp

BATCH_SIZE = 1000
"""Rows that are read in one transaction."""
FORMAT = 1
"""Changes if programs that read an export need to change."""

README = """\
All data of one organization on this server.

Each .jsonl file has one JSON object in each line. Times are in UTC (ISO 8601), amounts in US dollars.
manifest.json lists the files, with the number of their lines, and the data that is left out, with the reasons.
There are no secrets in this export: no keys, passwords, tokens or signatures.
The rows were read while the server ran, so calls of that time may be missing or unfinished.
"""


def record(organization: Organization) -> None:
    """Record in the audit trail that the organization is exported."""
    with transaction() as session:
        trail.record(session, Action.ORGANIZATION_EXPORTED, organization.id)


def stream(organization: Organization, on_rows: Callable[[int], object] = lambda _: None) -> Iterator[bytes]:
    """Yield the zip file in parts, with constant memory. `on_rows` gets the number of rows of each batch."""
    output = _Output()
    files = []
    with ZipFile(output, "w", ZIP_DEFLATED) as archive:
        archive.writestr(_entry("README.txt"), README)
        for table in EXPORTED:
            count = 0
            # The size is not known before, and could be over 2 GiB.
            with archive.open(_entry(f"{table.name}.jsonl"), "w", force_zip64=True) as file:
                for rows in _read(table, organization.id):
                    file.write("".join(map(_to_line, rows)).encode())
                    count += len(rows)
                    on_rows(len(rows))
                    yield output.take()
            files.append(_describe(table, count))
        archive.writestr(_entry("manifest.json"), json.dumps(_manifest(organization, files), indent=2))
    yield output.take()


class _Output(io.RawIOBase):
    """A stream without a position, which keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, now().timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    return entry


def _read(table: OrganizationTable, organization_id: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in batches, each from a short transaction, in the order of their keys."""
    after: tuple[Any, ...] = ()
    while True:
        # By key and not by number, because rows may be added and deleted between two batches.
        with reading(organization_id) as session:
            result = session.execute(_select_batch(table, organization_id, after))
            names, rows = list(result.keys()), [tuple(row) for row in result]
        if rows:
            exported = names[: -len(table.key)]  # the key follows
            yield [dict(zip(exported, row, strict=False)) for row in rows]
        if len(rows) < BATCH_SIZE:
            return
        after = rows[-1][-len(table.key) :]


def _select_batch(table: OrganizationTable, organization_id: int, after: tuple[Any, ...]) -> Select[*tuple[Any, ...]]:
    key = table.key
    query = table.select_export().add_columns(*(column.label(f"key_{column.name}") for column in key))
    query = query.where(table.owner == organization_id).order_by(*key).limit(BATCH_SIZE)
    if after:
        # Databases use an index for one column more readily than for a tuple of one.
        query = query.where(key[0] > after[0] if len(key) == 1 else tuple_(*key) > tuple_(*after))
    return query


def _to_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=_to_json) + "\n"


def _to_json(value: object) -> str | float:
    match value:
        case datetime():
            return format_timestamp(value)
        case Decimal():
            return float(value)
        case _:
            return str(value)


def _describe(table: OrganizationTable, count: int) -> dict[str, Any]:
    file = {"file": f"{table.name}.jsonl", "rows": count, "description": table.description}
    return file | {"left_out": dict(table.left_out)}


def _manifest(organization: Organization, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "organization": organization.slug,
        "exported_at": format_timestamp(now()),
        "version": glific_gpt.__version__,
        "files": files,
        "left_out": {table.table.name: table.description for table in TABLES if not table.name},
    }
