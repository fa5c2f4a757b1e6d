"""The systemd units: valid, with few rights, and with programs that exist."""

import re
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, check, require_program
from tests.support.programs import ROOT

FOLDER = "/srv/glific_gpt"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
WORST_EXPOSURE = "20"
"""Of systemd's 0 (no rights) to 100. Most services of Debian have over 80."""


def test_systemd_accepts_them(tmp_path: Path) -> None:
    program = require_program("systemd-analyze")
    for path in UNITS:
        (tmp_path / path.name).write_text(path.read_text().replace(FOLDER, str(ROOT)))
    assert check(program, "verify", *sorted(tmp_path.iterdir())) == ""


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_has_few_rights(path: Path) -> None:
    program = require_program("systemd-analyze")
    check(program, "security", "--offline=true", f"--threshold={WORST_EXPOSURE}", path)


@pytest.mark.parametrize(
    ("name", "reload"),
    [("glific-gpt.service", "/bin/kill -HUP $MAINPID"), ("glific-gpt-worker.service", "/bin/kill -TERM $MAINPID")],
)
def test_a_reload_takes_new_code_and_a_crash_restarts(name: str, reload: str) -> None:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    assert f"ExecReload={reload}" in lines
    assert "Restart=always" in lines


def test_a_reload_replaces_one_process_after_the_other() -> None:
    """A server with one process would end on SIGHUP."""
    processes = re.search(r"GLIFIC_GPT_PROCESSES=(\d+)", (DEPLOY / "systemd" / "glific-gpt.service").read_text())
    assert processes
    assert int(processes[1]) >= 2
