"""Connections that arrive together: the event loop accepts several in one pass."""

import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from glific_gpt.runtime import event_loop
from tests.support import http
from tests.support.server import RunningServer

CONNECTIONS = 150


class CountedPasses:
    """Counts the passes of the server's event loop, and makes each of them take a few milliseconds."""

    def __init__(self) -> None:
        self.number = 0
        self._is_running = True

    def __enter__(self) -> "CountedPasses":
        event_loop.loop().call_soon_threadsafe(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_running = False

    def _count(self) -> None:
        self.number += 1
        time.sleep(0.005)
        if self._is_running:
            event_loop.loop().call_soon(self._count)


def test_a_connection_behind_many_others_is_accepted_after_a_few_passes(server: RunningServer) -> None:
    url = urlsplit(server.url)
    address = (str(url.hostname), url.port or 80)
    http.get(f"{server.url}/livez")  # starts the thread that answers
    with ExitStack() as stack, CountedPasses() as passes:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(address))
        before = passes.number
        assert http.get(f"{server.url}/livez").status_code == 200
        assert passes.number - before < CONNECTIONS / 2
