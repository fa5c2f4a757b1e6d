"""Other users of the machine cannot read the files of a SQLite database."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import start
from tests.support.serving import run_server_processes, to_environment
from tests.support.settings import ENCRYPTION_KEY

FLASK = str(Path(sys.executable).parent / "flask")


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A umask that lets all users read new files, as most systems have, or more."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_only_the_owner_can_read_the_files_of_a_sqlite_database(tmp_path: Path) -> None:
    folder = tmp_path / "database"
    folder.mkdir()
    url = f"sqlite:///{folder}/glific_gpt.db"
    environ = to_environment(database_url=url, secret_key="made-up-for-a-test", encryption_keys=ENCRYPTION_KEY)
    with start([FLASK, "db", "upgrade"], tmp_path / "upgrade", environ) as upgrade:
        assert upgrade.wait_for_exit() == 0, upgrade.errors
    with run_server_processes(tmp_path / "server", is_forked=True, database_url=url) as server:
        server.add_organization("alice")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert modes == dict.fromkeys(("glific_gpt.db", "glific_gpt.db-wal", "glific_gpt.db-shm"), 0o600)
