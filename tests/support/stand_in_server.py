"""Base of the stand-ins over real sockets: it records requests and handles each with a chosen behaviour."""

import contextlib
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tests.support.openai_exchange import ByteWriter, Exchange, ReceivedRequest

ExchangeT = TypeVar("ExchangeT", bound=Exchange)


class StandIn(ABC, Generic[ExchangeT]):
    """An outside service that the server calls. `with` starts it on 127.0.0.1."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self.reset()
        self._server = _Server(self, port)
        self.port: int = self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the stand-in and close every connection."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All requests since the last reset, also refused and unanswered ones."""
        with self._lock:
            return list(self._requests)

    def will(self, *behaviours: Callable[[ExchangeT], None]) -> None:
        """Queue behaviours for the next requests without a more specific one, one each, in this order."""
        with self._lock:
            self._queue.extend(behaviours)

    def always(self, behaviour: Callable[[ExchangeT], None]) -> None:
        """Set the behaviour when the queue is empty."""
        self._always = behaviour

    def reset(self) -> None:
        """Clear requests and behaviours, and close connections of requests that still wait."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()
            self._requests: list[ReceivedRequest] = []
            self._queue: deque[Callable[[ExchangeT], None]] = deque()
            self._begin()

    def serve(self, received: ReceivedRequest, wire: ByteWriter) -> bool:
        """Record and answer a request. Return whether the connection stays open."""
        with self._lock:
            self._requests.append(received)
            behave, released = self._choose(received), self._released
        exchange = self._exchange(received, wire, released)
        behave(exchange)
        return exchange.keep_alive

    def _choose(self, received: ReceivedRequest) -> Callable[[ExchangeT], None]:
        return self._queue.popleft() if self._queue else self._always

    @abstractmethod
    def _begin(self) -> None:
        """Set `_always` and other state to its defaults. Called while the lock is held."""

    @abstractmethod
    def _exchange(self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event) -> ExchangeT: ...


class _Server(ThreadingHTTPServer):
    """A server for the many connections of a load test, with a daemon thread for each."""

    request_queue_size = 2048

    def __init__(self, stand_in: StandIn[Any], port: int) -> None:
        self.stand_in = stand_in
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close all connections, also idle ones that their clients keep alive."""
        for connection in self._open.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # Many tests have clients that close their connections early. This is no error here.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        keep_alive = self.server.stand_in.serve(self._received(), self.wfile)
        self.close_connection = self.close_connection or not keep_alive

    do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _received(self) -> ReceivedRequest:
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self.rfile.read(int(headers.get("content-length", 0)))
        return ReceivedRequest(self.command, self.path, headers, _decoded(raw), None, time.monotonic(), raw)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
