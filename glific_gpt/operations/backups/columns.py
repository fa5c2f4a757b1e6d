"""Columns of both kinds of databases, and the conversion of their values.

The common form of a value is that of SQLite: whole numbers for booleans, text in UTC for times, text for JSON. Both
kinds of databases give the same form, so that rows can be compared.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

Row = tuple[Any, ...]
"""The values of a row."""

Convert = Callable[[Any], Any]

TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
TIME_LENGTH = len("2026-11-30 00:00:00.000000")


class Type(Enum):
    """Types of columns that differ between the databases, or need a conversion."""

    BOOLEAN = "boolean"
    BYTES = "bytes"
    FLOAT = "float"
    INTEGER = "integer"
    JSON = "json"
    TEXT = "text"
    TIME = "time"


_TYPES = {
    "bool": Type.BOOLEAN,
    "blob": Type.BYTES,
    "bytea": Type.BYTES,
    "real": Type.FLOAT,
    "double": Type.FLOAT,
    "int": Type.INTEGER,
    "jsonb": Type.JSON,
    "time": Type.TIME,
}
"""Parts of the names of types, in lower case. The type `json` keeps its text, so that it counts as text."""


def parse_type(name: str) -> Type:
    """Return the type of a column by its name in a database."""
    return next((kind for part, kind in _TYPES.items() if part in name.lower()), Type.TEXT)


def from_sqlite(kind: Type) -> Convert | None:
    """Return the function that gives a value of SQLite the common form; None if it has that form already."""
    return {Type.TIME: _read_sqlite_time, Type.JSON: _normalize_json}.get(kind)


def from_postgresql(kind: Type) -> Convert | None:
    """Return the function that gives a text of PostgreSQL the common form; None if it has that form already."""
    return _FROM_POSTGRESQL.get(kind)


def to_postgresql(kind: Type) -> Convert | None:
    """Return the function that makes a value for PostgreSQL; None if it is one already."""
    return _TO_POSTGRESQL.get(kind)


def convert_rows(rows: Iterable[Row], conversions: Sequence[Convert | None]) -> Iterator[Row]:
    """Convert the values of rows. NULL stays."""
    needed = [(index, convert) for index, convert in enumerate(conversions) if convert]
    for row in rows:
        values = list(row)
        for index, convert in needed:
            if values[index] is not None:
                values[index] = convert(values[index])
        yield tuple(values)


def _read_sqlite_time(text: str) -> str:
    """Return a time as SQLAlchemy writes it: in UTC, with microseconds, without a time zone."""
    if len(text) == TIME_LENGTH:
        return text
    value = datetime.fromisoformat(text)
    return (value.astimezone(UTC) if value.tzinfo else value).strftime(TIME_FORMAT)


def _read_postgresql_time(text: str) -> str:
    """Read a time such as 2026-11-30 00:00:00.5+00 of a connection in UTC."""
    time = text.removesuffix("+00")
    return (time if "." in time else f"{time}.").ljust(TIME_LENGTH, "0")


def _normalize_json(text: str) -> str:
    # JSONB keeps neither spaces nor the order of keys.
    return json.dumps(json.loads(text), sort_keys=True)


_FROM_POSTGRESQL: dict[Type, Convert] = {
    Type.BOOLEAN: lambda text: int(text == "t"),
    Type.BYTES: lambda text: bytes.fromhex(text.removeprefix("\\x")),
    Type.FLOAT: float,
    Type.INTEGER: int,
    Type.JSON: _normalize_json,
    Type.TIME: _read_postgresql_time,
}
_TO_POSTGRESQL: dict[Type, Convert] = {
    Type.BOOLEAN: lambda value: "t" if value else "f",
    Type.TIME: lambda value: f"{value}+00",
}
