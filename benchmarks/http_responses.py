"""Parsing of HTTP responses: completeness, status, and whether the connection stays open."""

import re
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class HttpResponse(NamedTuple):
    """The parts of a response that the load generator needs."""

    status: int
    closes_connection: bool


def parse_response(received: bytes) -> HttpResponse | None:
    """Return the response, or None if a part of it has not arrived yet."""
    head, blank_line, body = received.partition(b"\r\n\r\n")
    if not blank_line:
        return None
    length = _LENGTH.search(head)
    complete = len(body) >= int(length[1]) if length else not _CHUNKED.search(head) or _has_last_chunk(body)
    return HttpResponse(int(head.split(b" ", 2)[1]), bool(_CLOSE.search(head))) if complete else None


def _has_last_chunk(body: bytes) -> bool:
    """Report whether the last chunk, which has the size 0, has arrived.

    A chunk is a size in hexadecimal, a line end, that many bytes, and another line end (RFC 9112, section 7.1).
    """
    at = 0
    while (line_end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:line_end].split(b";")[0], 16)
        at = line_end + 2 + size + 2
        if size == 0:
            return len(body) >= at
    return False
