"""wsgi.py: the start of servers, workers and commands."""

import subprocess
import sys

import pytest

from tests.support.programs import ROOT, clean_environment
from tests.support.serving import SECRET_KEY, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.journey


def output(program: str, **environ: str) -> str:
    """Run the program in a process of its own and return the text that it prints."""
    variables = to_environment(secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY)
    environment = clean_environment() | variables | environ
    return subprocess.check_output((sys.executable, "-c", program), cwd=ROOT, env=environment, text=True).strip()  # noqa: S603


def test_name_resolution_has_short_timeouts_and_the_garbage_collector_runs_after_the_start() -> None:
    program = "import gc, os, wsgi; print(os.environ['RES_OPTIONS'], gc.isenabled(), gc.get_freeze_count() > 100_000)"
    assert output(program) == "timeout:1 attempts:2 True True"


def test_the_environment_overrides_the_timeouts() -> None:
    program = "import os, wsgi; print(os.environ['RES_OPTIONS'])"
    assert output(program, RES_OPTIONS="timeout:3") == "timeout:3"
