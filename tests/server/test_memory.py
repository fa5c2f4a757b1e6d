"""Memory of the production server: what others send, or leave unfinished, does not fill it."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from glific_gpt.glific.signature import sign
from tests.support.endless_server import ENDLESS_REPLIES, EndlessServer, run_endless_server
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import require_error

ENDLESS_CALLS = 3
MAX_GROWTH_MB = 100

HALF_SENT_BODIES = 300
SENT_BYTES = 900 * 1024


@pytest.fixture
def endless() -> Iterator[EndlessServer]:
    with run_endless_server(*ENDLESS_REPLIES["chunks"]) as server:
        yield server


@pytest.fixture
def processes(tmp_path: Path, database_url: str, endless: EndlessServer) -> Iterator[ServerProcesses]:
    upstream = f"http://127.0.0.1:{endless.port}/v1"
    with run_server_processes(tmp_path, is_forked=True, database_url=database_url, openai_base_url=upstream) as running:
        yield running


def peak_mb(processes: ServerProcesses) -> int:
    """Return the largest resident memory that the server has had."""
    status = Path(f"/proc/{processes.program.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


def test_endless_replies_of_openai_do_not_fill_the_memory(processes: ServerProcesses) -> None:
    alice = processes.add_organization("alice")
    before = peak_mb(processes)
    for _ in range(ENDLESS_CALLS):
        require_error(alice.ask(), "bad_upstream_reply")
    assert peak_mb(processes) - before < MAX_GROWTH_MB


@pytest.mark.parametrize("is_signed", [False, True], ids=["without authentication", "with a forged signature"])
def test_half_sent_bodies_of_strangers_do_not_fill_the_memory(processes: ServerProcesses, is_signed: bool) -> None:
    processes.add_organization("alice")
    signature = f"X-Glific-Signature: {sign('wrong', b'', int(time.time()))}" if is_signed else "X-None: none"
    head = f"POST /webhooks/alice/parse_via_chat_gpt HTTP/1.1\r\nHost: x\r\n{signature}\r\nContent-Length: 1000000"
    request = f"{head}\r\n\r\n".encode() + b"x" * SENT_BYTES
    before = peak_mb(processes)
    with ExitStack() as stack:
        for _ in range(HALF_SENT_BODIES):
            wire = stack.enter_context(socket.create_connection(("127.0.0.1", processes.port), 5))
            with suppress(OSError):  # the server may close the connection before it has read everything
                wire.sendall(request)
        assert peak_mb(processes) - before < MAX_GROWTH_MB
