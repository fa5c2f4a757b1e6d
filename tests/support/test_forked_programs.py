"""Forked programs are like started ones: environment, folder, session, output, exit code, signals."""

import json
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from tests.support.programs import ROOT, SERVER, start
from tests.support.serving import to_environment

DESCRIBE = """
import json, os, signal, sys
print(json.dumps({
    "environ": dict(os.environ), "folder": os.getcwd(), "leads": os.getsid(0) == os.getpid(),
    "files": len(os.listdir("/proc/self/fd")), "interrupt": str(signal.getsignal(signal.SIGINT)),
}))
print("an error", file=sys.stderr)
"""


def run(statement: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "timeit", "-n", "1", "-r", "1", statement)


@pytest.mark.parametrize("is_forked", [False, True])
def test_it_has_its_own_session_and_environment_and_no_other_files(tmp_path: Path, is_forked: bool) -> None:
    with start(run(DESCRIBE), tmp_path, {"GLIFIC_GPT_PORT": "1"}, is_forked=is_forked) as program:
        assert program.wait_for_exit() == 0
    described = json.loads(program.output.splitlines()[0])
    assert described["environ"]["GLIFIC_GPT_PORT"] == "1"
    assert not [name for name in described["environ"] if name.startswith(("OPENAI_", "MAKE"))]
    assert (described["folder"], described["leads"]) == (str(ROOT), True)
    assert described["files"] == 4  # standard input, output and errors, and the listed folder
    assert "default_int_handler" in described["interrupt"]
    assert program.errors == "an error\n"


def test_it_reports_its_exit_code(tmp_path: Path) -> None:
    with start(SERVER, tmp_path, to_environment(bind="127.0.0.1:0"), is_forked=True) as program:
        assert program.wait_for_exit() == 1
        assert (program.process.poll(), program.process.wait()) == (1, 1)
    assert "GLIFIC_GPT_SECRET_KEY is not set" in program.errors


def test_it_receives_signals_and_ends_with_its_test(tmp_path: Path) -> None:
    with (
        start(run("import time; time.sleep(60)"), tmp_path / "first", is_forked=True) as first,
        start(run("import time; time.sleep(60)"), tmp_path / "second", is_forked=True) as second,
    ):
        with pytest.raises(subprocess.TimeoutExpired):
            first.process.wait(0.1)
        assert first.process.poll() is None
        first.send(SIGTERM)
        assert first.wait_for_exit() == -SIGTERM
        assert second.process.poll() is None
    assert second.process.poll() == -SIGKILL
