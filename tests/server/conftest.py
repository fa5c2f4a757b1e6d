"""Fixtures of the tests that call the HTTP protocol over a socket, or the bridge from ASGI to WSGI."""

import socket
from collections.abc import Iterator

import pytest

from glific_gpt.runtime import bridge, event_loop
from tests.server.echo_server import LIMIT_SECONDS, TEST_TIMEOUT_SECONDS, serving


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection to a server with short time-outs."""
    for limit in (
        "http_protocol.HEAD_TIMEOUT_SECONDS",
        "http_protocol.WEBHOOK_BODY_TIMEOUT_SECONDS",
        "http_protocol.BODY_TIMEOUT_SECONDS",
        "response_writer.WRITE_TIMEOUT_SECONDS",
    ):
        monkeypatch.setattr(f"glific_gpt.server.{limit}", LIMIT_SECONDS)
    with serving() as port, socket.create_connection(("127.0.0.1", port), TEST_TIMEOUT_SECONDS) as wire:
        yield wire


@pytest.fixture
def restore_loop() -> Iterator[None]:
    # A test leaves a closed loop in the bridge, on which later tests in this process could not wait.
    before = event_loop.current_loop()
    yield
    bridge.set_loop(before)
