"""Signing in while the Redis that counts attempts is silent or fails."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import StartServer
from tests.console.users import create_client, create_user

Respond = Callable[[list[bytes]], bytes | None]


def stay_silent(_command: list[bytes]) -> bytes:
    return b""


def fail_to_give_back(command: list[bytes]) -> bytes | None:
    """Count every attempt, and close the connection instead of giving back the attempt of a success."""
    return None if command[-1] == b"-1" else b":1\r\n"


@contextmanager
def run_redis(respond: Respond) -> Iterator[str]:
    """Yield the URL of a server that speaks the protocol of Redis."""

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.readline():
                reply = respond([self._read_argument() for _ in range(int(head[1:]))])
                if reply is None:
                    return
                self.wfile.write(reply)

        def _read_argument(self) -> bytes:
            length = int(self.rfile.readline()[1:])
            return self.rfile.read(length + 2)[:length]

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}?protocol=2"
        finally:
            server.shutdown()


@pytest.mark.parametrize("respond", [stay_silent, fail_to_give_back])
def test_a_person_can_sign_in_without_a_wait(start_server: StartServer, respond: Respond) -> None:
    with run_redis(respond) as url, create_client() as client:
        asha = create_user(start_server(rate_limit_storage_url=url), "asha@example.org")
        asha.client = client
        asha.get("/console/account/sign-in")
        started = time.monotonic()
        assert asha.sign_in().status_code == 302
        assert time.monotonic() - started < 4
