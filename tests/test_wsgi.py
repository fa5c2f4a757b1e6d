"""What every program of ours begins with: servers, workers and commands."""

import subprocess
import sys

from tests.support.programs import ROOT, clean_environment
from tests.support.serving import SECRET_KEY, as_environment
from tests.support.settings import ENCRYPTION_KEY


def resolver_options(**environ: str) -> str:
    known = as_environment(secret_key=SECRET_KEY, encryption_keys=ENCRYPTION_KEY)
    program = "import os, wsgi; print(os.environ['RES_OPTIONS'])"
    environment = clean_environment() | known | environ
    return subprocess.check_output((sys.executable, "-c", program), cwd=ROOT, env=environment, text=True).strip()  # noqa: S603


def test_a_name_server_that_is_down_holds_nothing_for_long() -> None:
    assert resolver_options() == "timeout:1 attempts:2"


def test_administrators_may_have_it_otherwise() -> None:
    assert resolver_options(RES_OPTIONS="timeout:3") == "timeout:3"
