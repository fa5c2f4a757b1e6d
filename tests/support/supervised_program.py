"""A supervisor with one process: `python -m tests.support.supervised_program FOLDER START_TIMEOUT`.

The process waits twice: when Python starts, until FOLDER has the file `may_start`, and when it loads the app, until
FOLDER has the file `may_load`. It reports both, and the supervisor reports that the start has ended.
"""

import os
import sys
import time
from pathlib import Path

from uvicorn import Config
from uvicorn._types import ASGIApplication, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.supervisors.multiprocess import Process

from glific_gpt.server import processes

HEALTHCHECK_TIMEOUT_SECONDS = 0.3

FIRST_IMPORT = """
import os, sys, time
from pathlib import Path

if any("spawn_main" in argument for argument in sys.orig_argv):
    os.write(1, f"starts {os.getpid()}\\n".encode())
    while not Path(__file__).with_name("may_start").exists():
        time.sleep(0.05)
"""
"""Python imports the module `sitecustomize` when it starts, before anything of ours."""


class ReportingSupervisor(processes.ProcessSupervisor):
    def _is_starting(self, process: Process) -> bool:
        is_starting = super()._is_starting(process)
        if not is_starting:
            say("has started", process.pid)
        return is_starting


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def load() -> ASGIApplication:
    say("loads", os.getpid())
    while not Path(os.environ["PYTHONPATH"], "may_load").exists():
        time.sleep(0.05)
    return app


async def app(_scope: Scope, _receive: ASGIReceiveCallable, _send: ASGISendCallable) -> None:
    pass


def main(folder: str, start_timeout: str) -> None:
    Path(folder, "sitecustomize.py").write_text(FIRST_IMPORT)
    os.environ["PYTHONPATH"] = folder  # for the processes of the supervisor only
    processes.START_TIMEOUT_SECONDS = float(start_timeout)  # type: ignore[assignment]
    config = Config("tests.support.supervised_program:load", factory=True, port=0, log_level="error", lifespan="off")
    config.timeout_worker_healthcheck = HEALTHCHECK_TIMEOUT_SECONDS  # type: ignore[assignment]
    ReportingSupervisor(config, [config.bind_socket()]).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
