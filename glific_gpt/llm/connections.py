"""Connections to one host: each is borrowed by the thread that asks, and given back for the next."""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from urllib.parse import urlsplit

import httpx2
from httptools import HttpParserError, HttpResponseParser

from glific_gpt.clock import Deadline
from glific_gpt.network import KEEPALIVE_SECONDS, ONE_ADDRESS_SECONDS

RECEIVED_AT_ONCE = 16_384
"""Bytes; a common answer is a tenth of that."""

Headers = Iterable[tuple[bytes, bytes]]


class Reply:
    """One reply, as the parser finds it."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_whole = False
        self._has_head = False

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    @property
    def keeps_alive(self) -> bool:
        return bool(self._parser.should_keep_alive())

    def feed(self, data: bytes) -> None:
        """What was received, and nothing where the other side has closed. Raises httpx2.DecodingError."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            raise httpx2.DecodingError("this is no reply") from None
        if not data:
            self._end()

    def _end(self) -> None:
        """A body without a length ends with its connection (RFC 9112, 6.3)."""
        if not self._has_head or {b"content-length", b"transfer-encoding"} & {name.lower() for name, _ in self.headers}:
            raise httpx2.DecodingError("the reply broke off")
        self.is_whole = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._has_head = True

    def on_body(self, some: bytes) -> None:
        self.body += some

    def on_message_complete(self) -> None:
        if self.status < 200:  # there is more to come (RFC 9110, 15.2)
            self.headers, self._has_head = [], False
        else:
            self.is_whole = True


class Connections:
    """Those to the host of a base URL, for any number of threads: one connection for each call that is under way."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._is_secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_secure else 80)
        self._idle: deque[tuple[float, socket.socket]] = deque()

    def ask(self, method: str, target: bytes, headers: Headers, body: bytes, deadline: Deadline) -> Reply:
        """The whole reply. Only resolving a name may take longer than the deadline.

        Raises httpx2.ReadTimeout, httpx2.ConnectError when nothing was heard, and httpx2.DecodingError when something was
        that is no whole reply.
        """
        head = [b"%s %s HTTP/1.1" % (method.encode(), target), *(b"%s: %s" % header for header in headers)]
        connection = self._idle_one() or self._new(deadline)
        try:
            reply = _exchange(connection, b"\r\n".join([*head, b"", body]), deadline)
        except BaseException:
            connection.close()
            raise
        if reply.keeps_alive:
            self._give_back(connection)
        else:
            connection.close()
        return reply

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Of the certificates that the operating system trusts."""
        return ssl.create_default_context()

    def _idle_one(self) -> socket.socket | None:
        """The one that was used last, unless the other side has closed it."""
        with suppress(IndexError):
            while True:
                since, connection = self._idle.pop()
                if time.monotonic() - since < KEEPALIVE_SECONDS and not _has_something_to_say(connection):
                    return connection
                connection.close()
        return None

    def _give_back(self, connection: socket.socket) -> None:
        now = time.monotonic()
        self._idle.append((now, connection))
        with suppress(IndexError):
            while now - self._idle[0][0] > KEEPALIVE_SECONDS:
                self._idle.popleft()[1].close()

    def _new(self, deadline: Deadline) -> socket.socket:
        try:
            connection = self._connected(deadline)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._is_secure:
                return connection
            connection.settimeout(_left(deadline))
            return self._tls.wrap_socket(connection, server_hostname=self._host)
        except TimeoutError:
            raise httpx2.ConnectTimeout("the host did not answer") from None
        except (OSError, UnicodeError) as error:  # the latter is the resolver's for what can be no name
            raise httpx2.ConnectError("the host cannot be reached") from error

    def _connected(self, deadline: Deadline) -> socket.socket:
        """Tries each address of the host for a second at most, the last for as long as there is time."""
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        *others, last = [(str(address[0]), self._port) for *_, address in found]
        for other in others:
            with suppress(OSError):
                return socket.create_connection(other, min(ONE_ADDRESS_SECONDS, _left(deadline)))
        return socket.create_connection(last, _left(deadline))


def _exchange(connection: socket.socket, request: bytes, deadline: Deadline) -> Reply:
    reply, heard = Reply(), False
    try:
        connection.settimeout(_left(deadline))
        connection.sendall(request)
        while not reply.is_whole:
            # A time-out of its own for each read, so that one byte at a time cannot go on for ever.
            connection.settimeout(_left(deadline))
            data = connection.recv(RECEIVED_AT_ONCE)
            if not (data or heard):
                raise httpx2.ConnectError("nothing was heard")
            heard = True
            reply.feed(data)
    except TimeoutError:
        raise httpx2.ReadTimeout("the call's time is up") from None
    except OSError as error:
        raise (httpx2.DecodingError if heard else httpx2.ConnectError)("the connection broke off") from error
    return reply


def _left(deadline: Deadline) -> float:
    if deadline.passed:
        raise TimeoutError
    return deadline.remaining()


def _has_something_to_say(connection: socket.socket) -> bool:
    """Whether it can be read although nothing was asked: that is its end, or nothing that we could use."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
