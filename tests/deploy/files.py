"""The files in deploy/, and the programs that check them."""

import shutil
import subprocess
from pathlib import Path

from tests.support.platforms import skip_or_fail
from tests.support.programs import ROOT

DEPLOY = ROOT / "deploy"
CHECK_SECONDS = 60


def require_program(name: str) -> str:
    """Return the path of a program. Without it the test is skipped, or fails in CI, which has it."""
    path = shutil.which(name)
    if path is None:
        skip_or_fail(f"{name} is not installed on this machine")
    return path


def check(*command: str | Path, **environ: str) -> str:
    """Run a program that checks a file, and return everything that it prints. Fails if the program fails."""
    ended = subprocess.run(  # noqa: S603 - programs of the operating system
        command,
        env=environ or None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CHECK_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def create_env(folder: Path, host: str = "gpt.example.org") -> dict[str, str]:
    """Create the settings of compose.yaml as administrators do, and return them."""
    check(DEPLOY / "create-env.sh", host, folder / ".env")
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))
