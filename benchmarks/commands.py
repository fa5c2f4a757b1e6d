"""Commands of the product in one process, because starting it for each of them takes long."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.programs import clean_environment

PROGRAM = """
import json, sys
from wsgi import app
runner, outputs = app.test_cli_runner(), []
for arguments, text in json.load(sys.stdin):
    result = runner.invoke(args=arguments, input=text)
    if result.exit_code:
        sys.exit(f"{arguments}: {result.output} {result.exception!r}")
    outputs.append(result.stdout)
json.dump(outputs, sys.stdout)
"""


def run_commands(environ: dict[str, str], commands: Sequence[tuple[Sequence[str], str]], folder: Path) -> list[str]:
    """Run the commands, each with its standard input, with the code in `folder`. Return what they print.

    Exit with the error of the first that fails.
    """
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=clean_environment() | environ,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        sys.exit(result.stderr)
    return list(json.loads(result.stdout))
