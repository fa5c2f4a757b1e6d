"""Run pg_dump and pg_restore. The password is neither an argument, nor in the environment, nor in a named file."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy.engine import URL

from glific_gpt.errors import SettingsError
from glific_gpt.operations.backups import databases
from glific_gpt.settings import PREFIX

SERVICE = "glific_gpt"
"""Name of the connection in the service file of libpq."""

CONNECTION = f"--dbname=service={SERVICE}"
"""Argument of a program that connects to the database."""

FIRST_NUMBER = re.compile(r"\d+")
MAX_REASON = 200
MAX_ERROR_BYTES = 64 * 1024

MSG_MISSING = "{0} is not installed. Install PostgreSQL's client programs, such as the package postgresql-client."
MSG_OLD = (
    "{0} has version {1}, which is older than the PostgreSQL server ({2}). Install the client programs of version {2} "
    "or later."
)


def require_program(name: str, server_version: int = 0) -> None:
    """Raise SettingsError if the program is missing, or older than the server. Versions are the first number."""
    if shutil.which(name) is None:
        raise SettingsError(MSG_MISSING.format(name))
    output = subprocess.run([name, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603
    match = FIRST_NUMBER.search(output)
    version = int(match[0]) if match else 0
    if version < server_version:
        raise SettingsError(MSG_OLD.format(name, version, server_version))


@dataclass(frozen=True)
class Run:
    """A program that runs, or has ended."""

    process: "subprocess.Popen[bytes]"
    _errors: IO[bytes]

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout  # noqa: S101 - for the type checker
        return self.process.stdout

    def find_reason(self) -> str:
        """Return the first error of the program. Lines after it can contain values of rows."""
        self._errors.seek(0)
        lines = self._errors.read(MAX_ERROR_BYTES).decode(errors="replace").splitlines()
        found = next((line for line in lines if "error:" in line), "it gave no reason")
        return found.strip()[:MAX_REASON]


@contextmanager
def running(command: Sequence[str], url: URL | None = None, file: IO[bytes] | None = None) -> Iterator[Run]:
    """Run a program, with a connection to this database, and with this file as its standard input.

    It is killed if it still runs at the end of the block.
    """
    with tempfile.TemporaryFile() as errors, _service_file(url) as (environ, descriptors):
        process = subprocess.Popen(  # noqa: S603 - the programs of PostgreSQL
            command,
            env=environ,
            pass_fds=descriptors,
            stdin=file or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield Run(process, errors)
        finally:
            process.kill()
            process.communicate()


@contextmanager
def _service_file(url: URL | None) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Yield the environment with the connection to this database, and the file descriptors that it needs.

    The connection is in a file without a name, which only the program can read.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | {"LC_ALL": "C"}
    if url is None:
        yield environ, ()
        return
    with tempfile.TemporaryFile() as file:
        file.write(_format_service(databases.connection_options(url)).encode())
        file.flush()
        file.seek(0)
        yield environ | {"PGSERVICEFILE": f"/dev/fd/{file.fileno()}"}, (file.fileno(),)


def _format_service(options: Mapping[str, Any]) -> str:
    """Raises SettingsError if a value has a line break, which a service file cannot hold."""
    lines = [f"{name}={value}" for name, value in options.items()]
    if any("\n" in line for line in lines):
        raise SettingsError("GLIFIC_GPT_DATABASE_URL has a line break in a value. Remove it.")
    return "\n".join([f"[{SERVICE}]", *lines, ""])
