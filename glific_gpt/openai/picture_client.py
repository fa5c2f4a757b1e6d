"""The HTTP client that downloads a picture: public addresses only, few redirects, a limit of the size."""

import threading
from base64 import b64encode
from ipaddress import ip_address
from ssl import SSLContext
from urllib.parse import urljoin

import httpx2

from glific_gpt import errors
from glific_gpt.clock import Deadline
from glific_gpt.errors import InvalidField
from glific_gpt.network.http_client import (
    FRAMING_BYTES,
    AddressPolicy,
    AddressRefused,
    DeadlineTransport,
    Resolver,
    ThreadClient,
    deadline_scope,
    read_body,
)
from glific_gpt.network.ip_addresses import is_public
from glific_gpt.openai.picture_addresses import MSG_PRIVATE, read_address

MAX_PICTURE_BYTES = 20 * 1000 * 1000
MAX_REDIRECTS = 3
DOWNLOAD_SECONDS = 10.0
"""Longest download, so that a slow server does not occupy a thread for the minutes of a deferred call."""
ENCODED_BYTES = 3 * 256 * 1024
"""Bytes that are encoded in one piece: the encoder keeps Python's lock, and the event loop would wait."""

_HEADERS = {"accept": "image/jpeg, image/png, image/webp, image/gif", "accept-encoding": "identity"}
_REDIRECTS = {301, 302, 303, 307, 308}
_LOCATION = "location"
_TYPES = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"))
"""First bytes of the types that OpenAI reads. WebP has them after its length."""


def allow_public(_host: str, address: str) -> bool:
    """Allow connections to addresses that are in no private network."""
    # The resolver adds the zone to link-local IPv6 addresses.
    return is_public(ip_address(address.partition("%")[0]))


class PictureClients(threading.local):
    """One client per thread, because threads that share a connection pool wait for its lock."""

    def __init__(self, context: SSLContext, allows: AddressPolicy, resolve: Resolver) -> None:
        limit = MAX_PICTURE_BYTES + FRAMING_BYTES
        self._client = ThreadClient(DeadlineTransport(context, allows, resolve, max_received_bytes=limit))
        # httpx2 reads the header even when it follows no redirects, and raises an error for an invalid address.
        self._client.event_hooks = {"response": [_set_location_aside]}

    def download(self, address: str, deadline: Deadline) -> str:
        """Return the picture as a data URL. Raises InvalidField with its cause."""
        seconds = min(DOWNLOAD_SECONDS, deadline.remaining())
        try:
            with deadline_scope(Deadline.after(seconds)):
                body = self._read(address)
        except httpx2.HTTPError as error:
            raise _to_error(error) from None
        return encode(body)

    def _read(self, address: str) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            request = self._client.build_request("GET", address, headers=_HEADERS, timeout=None)
            response = self._client.send(request, stream=True)
            try:
                if response.status_code in _REDIRECTS:
                    address = _next_address(address, response)
                    continue
                return _read_picture(response)
            finally:
                response.close()
        raise _error(errors.MSG_PICTURE_NOT_FETCHED, f"more than {MAX_REDIRECTS} redirects")


def encode(body: bytes) -> str:
    """Return a picture as a data URL. Its first bytes tell its type, since servers often name a wrong one.

    Raises InvalidField for something else than a picture.
    """
    kind = next((name for start, name in _TYPES if body.startswith(start)), "")
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        kind = "webp"
    if not kind:
        raise _error(errors.MSG_NOT_A_PICTURE, "the reply is not a picture")
    view = memoryview(body)
    pieces = (b64encode(view[start : start + ENCODED_BYTES]).decode() for start in range(0, len(body), ENCODED_BYTES))
    return "".join([f"data:image/{kind};base64,", *pieces])  # joined once: each copy takes 27 MB


def _read_picture(response: httpx2.Response) -> bytes:
    if response.status_code != httpx2.codes.OK:
        raise _error(errors.MSG_PICTURE_NOT_FETCHED, f"status {response.status_code}")
    length = response.headers.get("content-length", "")
    is_too_large = length.isdecimal() and int(length[:20]) > MAX_PICTURE_BYTES
    body = None if is_too_large else read_body(response, MAX_PICTURE_BYTES)
    if body is None:
        raise _error(errors.MSG_PICTURE_TOO_LARGE, "too large")
    return body


def _set_location_aside(response: httpx2.Response) -> None:
    response.extensions[_LOCATION] = response.headers.pop(_LOCATION, "")


def _next_address(address: str, response: httpx2.Response) -> str:
    """Return where a redirect leads, if a picture may be there. Raises InvalidField."""
    try:
        return read_address(urljoin(address, response.extensions[_LOCATION]))
    except ValueError:
        raise _error(errors.MSG_PICTURE_REDIRECTED, "a redirect to an address that is not allowed") from None


def _to_error(error: httpx2.HTTPError) -> InvalidField:
    if isinstance(error.__cause__, AddressRefused):
        return _error(f"url: {MSG_PRIVATE}.", "an address in a private network")
    if isinstance(error, httpx2.TimeoutException):
        return _error(errors.MSG_PICTURE_SLOW, "timed out")
    return _error(errors.MSG_PICTURE_NOT_FETCHED, type(error).__name__)


def _error(message: str, cause: str) -> InvalidField:
    error = InvalidField(message).naming("url")
    error.cause = f"picture: {cause}"
    return error
