"""A response of HTTP/1.1, parsed while it arrives, with limits on its size."""

import httpx2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD_BYTES = 64 * 1024
"""Limit of everything before the body, interim responses included, checked after each packet (256 KiB)."""
MAX_HEADERS = 256
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_RECEIVED_BYTES = 2 * MAX_BODY_BYTES
"""Limit of a whole reply: chunk sizes, chunk extensions and trailers are no part of the body."""
MAX_PARTS = 10_000
"""Limit of headers, chunks and trailers. Each takes time on the event loop, even if it holds one byte."""


class HttpResponse:
    """One response, filled by the parser while data arrives."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.is_complete = False
        self.keep_alive = False
        self._headers_complete = False
        self._received_bytes = 0
        self._parts = 0
        self._parser: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse received bytes. Raises httpx2.DecodingError, also for a reply that is too large."""
        if not self._parser:
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise httpx2.DecodingError("the reply switches to another protocol") from None
        except HttpParserError:
            if not self.is_complete:
                raise httpx2.DecodingError("the reply is not HTTP, or has too many headers or parts") from None
            self.keep_alive = False  # more data than the reply
        self._received_bytes += len(data)
        limit = MAX_RECEIVED_BYTES if self._headers_complete else MAX_HEAD_BYTES
        if self._received_bytes > limit or len(self.body) > MAX_BODY_BYTES:
            raise httpx2.DecodingError("the reply is too large")

    def finish(self) -> None:
        """Handle the end of the connection, which ends a body without a length (RFC 9112, 6.3).

        Raises httpx2.DecodingError if the response is incomplete.
        """
        framing = {b"content-length", b"transfer-encoding"}
        if not self._headers_complete or framing & {name.lower() for name, _ in self.headers}:
            raise httpx2.DecodingError("the reply is incomplete")
        self.is_complete = True

    def release(self) -> None:
        """Break the reference cycle with the parser, so that the memory is freed without the garbage collector.

        The part of an incomplete reply is dropped: the frames of its error would keep it.
        """
        self._parser = None
        if not self.is_complete:
            self.body = bytearray()

    # Callbacks of the parser. It turns an exception into an HttpParserError.

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise ValueError("a second reply to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_part()
        if self._headers_complete:
            return  # a trailer
        if len(self.headers) >= MAX_HEADERS:
            raise ValueError("too many headers")
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser:
            self.status = self._parser.get_status_code()
        self._headers_complete = True

    def on_body(self, chunk: bytes) -> None:
        self._count_part()
        self.body += chunk

    def on_message_complete(self) -> None:
        if self.status < 200:  # an interim response, which another response follows (RFC 9110, 15.2)
            self.headers, self._headers_complete = [], False
        elif self._parser:
            # The parser can answer this only inside its callback.
            self.is_complete, self.keep_alive = True, bool(self._parser.should_keep_alive())

    def _count_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ValueError("too many parts")
