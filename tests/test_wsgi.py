"""wsgi.py: the start of servers, workers and commands."""

import subprocess
import sys

import pytest

from tests.support.programs import ROOT, clean_environment
from tests.support.serving import SECRET_KEY, to_environment
from tests.support.settings import ENCRYPTION_KEY

pytestmark = pytest.mark.journey


def resolver_options(**environ: str) -> str:
    variables = to_environment(secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY)
    program = "import os, wsgi; print(os.environ['RES_OPTIONS'])"
    environment = clean_environment() | variables | environ
    return subprocess.check_output((sys.executable, "-c", program), cwd=ROOT, env=environment, text=True).strip()  # noqa: S603


def test_name_resolution_has_short_timeouts() -> None:
    assert resolver_options() == "timeout:1 attempts:2"


def test_the_environment_overrides_the_timeouts() -> None:
    assert resolver_options(RES_OPTIONS="timeout:3") == "timeout:3"
