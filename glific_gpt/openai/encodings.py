"""Decoding of compressed response bodies. A body that is not what its Content-Encoding says is taken as it is."""

import zlib
from collections.abc import Callable, Iterable

import httpx2

from glific_gpt.openai.http_response import MAX_BODY_BYTES
from glific_gpt.runtime import cpu_bound

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_MAX_LAYERS = 3
"""Encodings on top of each other that are removed."""
_MAX_MEMBERS = 100
"""Members of a gzip body (RFC 1952, 2.2). The rest of the body is copied for each of them."""


def is_encoded(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
    """Return whether a body may be compressed.

    Requests ask for no compression, but proxies on the way may add it, or leave a header behind after they removed it.
    """
    names = [value.lower() for name, value in headers if name.lower() == b"content-encoding"]
    claimed = [encoding.strip() for value in names for encoding in value.split(b",")]
    return any(encoding not in {b"", b"identity"} for encoding in claimed) or body.startswith(_GZIP_MAGIC)


def decode_body(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Return the body without its compression. Raises httpx2.DecodingError for a body that is too large without it."""
    return cpu_bound.run(lambda: _decompress(body), is_long=True) if is_encoded(headers, body) else body


def _decompress(body: bytes) -> bytes:
    """Remove the layers of compression that the bytes themselves show, whatever the header says."""
    for _ in range(_MAX_LAYERS):
        inner = None if _is_text(body) else next(filter(None, (decode(body) for decode in _DECODERS)), None)
        if inner is None:
            break
        body = inner
    return body


def _is_text(body: bytes) -> bool:
    """Return whether the body is UTF-8, which compressed data practically never is."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _inflate(window_bits: int) -> Callable[[bytes], bytes | None]:
    def decode(body: bytes) -> bytes | None:
        decoded, rest = bytearray(), body
        for _ in range(_MAX_MEMBERS):
            decompressor = zlib.decompressobj(window_bits)
            try:
                decoded += decompressor.decompress(rest, MAX_BODY_BYTES + 1 - len(decoded))
            except zlib.error:
                return None
            if len(decoded) > MAX_BODY_BYTES:
                raise httpx2.DecodingError("the reply is too large")
            if not decompressor.eof:
                return None
            rest = decompressor.unused_data
            if not rest.startswith(_GZIP_MAGIC):
                return bytes(decoded)
        raise httpx2.DecodingError("the reply has too many parts")

    return decode


# Servers disagree whether "deflate" has the header of zlib (RFC 9110, 8.4.1.2).
_DECODERS = (_inflate(_GZIP_OR_ZLIB), _inflate(-zlib.MAX_WBITS))
