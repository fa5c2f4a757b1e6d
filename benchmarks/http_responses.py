"""Reading HTTP replies: whether all of one has arrived, what its status is, and whether the connection stays open."""

import re
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class HttpResponse(NamedTuple):
    """What the load generator wants to know of a reply."""

    status: int
    closes: bool
    """Whether the connection cannot be used again."""


def parse_response(received: bytes) -> HttpResponse | None:
    """The reply, or None while a part of it is still on its way."""
    head, blank_line, body = received.partition(b"\r\n\r\n")
    if not blank_line:
        return None
    length = _LENGTH.search(head)
    complete = len(body) >= int(length[1]) if length else not _CHUNKED.search(head) or _has_last_chunk(body)
    return HttpResponse(int(head.split(b" ", 2)[1]), bool(_CLOSE.search(head))) if complete else None


def _has_last_chunk(body: bytes) -> bool:
    """Chunks are a size in hex, a line's end, that many bytes, and a line's end; the last has the size 0."""
    at = 0
    while (line_end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:line_end].split(b";")[0], 16)
        at = line_end + 2 + size + 2
        if size == 0:
            return len(body) >= at
    return False
