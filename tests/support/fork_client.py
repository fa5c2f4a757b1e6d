"""A program that a fork server runs: `python -IS tests/support/fork_client.py SOCKET ARGUMENTS`.

SOCKET is the descriptor of the fork server's socket, and ARGUMENTS are those of `python -m`. It behaves like the
program: it has its input, output, errors, environment, folder and exit code, and passes SIGTERM on.
"""

import json
import os
import signal
import socket
import struct
import sys


def main() -> int:
    reports, report = os.pipe()
    folder = os.getcwd()  # noqa: PTH109 - pathlib takes as long to import as the rest
    message = {"arguments": sys.argv[2:], "environ": dict(os.environ), "folder": folder}
    with socket.socket(fileno=os.dup(int(sys.argv[1]))) as control:
        socket.send_fds(control, [json.dumps(message).encode()], [0, 1, 2, report])
    os.close(report)
    process = _read(reports)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(process, number))
    return os.waitstatus_to_exitcode(_read(reports))


def _read(reports: int) -> int:
    number: int = struct.unpack("i", os.read(reports, 4))[0]
    return number


if __name__ == "__main__":
    sys.exit(main())
