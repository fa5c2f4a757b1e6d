"""A stand-in for the OpenAI API over a real socket: it records every request and misbehaves on demand."""

import contextlib
import json
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.openai_answers import answer
from tests.support.openai_errors import unknown_url
from tests.support.openai_exchange import Behaviour, Exchange, Received

_MODELS_PATH = "/v1/models"
_PATHS = (_MODELS_PATH, "/v1/chat/completions", "/v1/responses")

# fmt: off
MODELS = (
    "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "davinci-002", "gpt-4", "gpt-4-turbo", "gpt-4o",
    "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "gpt-5-pro",
    "gpt-5.1-codex", "o1-pro", "o3", "o4-mini", "gpt-audio", "gpt-4o-audio-preview", "gpt-realtime",
    "whisper-1", "gpt-4o-transcribe", "tts-1", "gpt-4o-mini-tts", "dall-e-3", "gpt-image-1", "sora-2",
    "text-embedding-3-small", "omni-moderation-latest", "ft:gpt-4o-mini-2024-07-18:ngo::abc123",
)
# fmt: on


class OpenAIStandIn:
    """The OpenAI API for a test: `with OpenAIStandIn() as openai:`, then point the server at `base_url`.

    Who decides what happens, in this order: `for_key`; for GET /v1/models `for_models`; the queue of `will`;
    `always`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.reset()
        self._server = _Server(self)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection: from now on OpenAI is down."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

    @property
    def requests(self) -> list[Received]:
        """Everything received since the last reset, the refused and the unanswered too."""
        with self._lock:
            return list(self._requests)

    def will(self, *behaviours: Behaviour) -> None:
        """The next requests to chat or responses get these, one each, in this order."""
        with self._lock:
            self._queue.extend(behaviours)

    def always(self, behaviour: Behaviour) -> None:
        """From now on, when the queue is empty."""
        self._always = behaviour

    def for_key(self, key: str, behaviour: Behaviour) -> None:
        """Every request with this API key gets that, on every path."""
        self._for_key[key] = behaviour

    def for_models(self, behaviour: Behaviour) -> None:
        """From now on for GET /v1/models, where good answers are the list of `models`."""
        self._for_models = behaviour

    def reset(self) -> None:
        """Forgets requests and orders, and hangs up on requests that still wait for their answer."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()
            self._requests: list[Received] = []
            self._queue: deque[Behaviour] = deque()
            self._always = self._for_models = answer()
            self._for_key: dict[str, Behaviour] = {}
            self.models = list(MODELS)

    def take(self, received: Received) -> tuple[Behaviour, threading.Event]:
        """For the server: records the request and says what to do, and what ends the waiting for it."""
        with self._lock:
            self._requests.append(received)
            return self._choose(received), self._released

    def _choose(self, received: Received) -> Behaviour:
        if received.path not in _PATHS:
            return unknown_url()
        if received.api_key in self._for_key:
            return self._for_key[received.api_key]
        if received.path == _MODELS_PATH:
            return self._for_models
        return self._queue.popleft() if self._queue else self._always


class _Server(ThreadingHTTPServer):
    """Holds as many connections as a load test opens at once, each in a daemon thread."""

    request_queue_size = 2048

    def __init__(self, stand_in: OpenAIStandIn) -> None:
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends idle connections too, which their clients would otherwise keep alive."""
        for connection in self._open.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # A client that gives up is what many tests are about; it is no error here.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        received = self._received()
        stand_in = self.server.stand_in
        behave, released = stand_in.take(received)
        exchange = Exchange(received, self.wfile, released, stand_in.models)
        behave(exchange)
        self.close_connection = self.close_connection or not exchange.keep_alive

    do_POST = do_GET  # noqa: N815 - the base class's name

    def _received(self) -> Received:
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length", 0)))
        scheme, _, key = headers.get("authorization", "").partition(" ")
        api_key = key if scheme == "Bearer" else None
        path = self.path.partition("?")[0]
        return Received(self.command, path, headers, _decoded(raw), api_key, time.monotonic())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
