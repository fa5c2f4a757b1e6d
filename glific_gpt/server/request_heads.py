"""Checks of a request's head that uvicorn and its parser leave out, and sentences for a first line that is wrong."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import httptools

VERSIONS = {"1.0", "1.1"}
LABEL = rb"[A-Za-z0-9_~-]{1,63}"
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|" + LABEL + rb"(\." + LABEL + rb")*\.?)(:[0-9]{1,5})?")
"""A host name or address, with a port. Flask builds addresses from it, and no pages for other names."""

# Glific sends a variable in a URL as it is. The server does not encode such a URL itself: RFC 9112 (3.2) advises
# against it, because a proxy may have read another URL.
SPACE_IN_URL = "The URL has a space. Percent-encode it as %20, or send the value in the body."
HTTP_VERSION = "The first line of the request must end with HTTP/1.1."
INVALID_URL = (
    "The URL has a letter outside ASCII, or a control character. Percent-encode it, or send the value in the body."
)
# The parser's own sentences (llhttp).
_VERSION_ERRORS = ("Invalid HTTP version", "Expected dot", "Invalid major version", "Invalid minor version")
_VERSION = re.compile(rb"HTTP ?[0-9.]*|[A-Z]+/[0-9.]*", re.IGNORECASE)
"""A version that is written in another way, or of another protocol."""

Headers = Iterable[tuple[bytes, bytes]]


def check_head(version: str, target: bytes, headers: Headers, *, is_upgrade: bool) -> None:
    """Raise ValueError for a head that this server and a proxy could understand in different ways."""
    if version not in VERSIONS:
        raise ValueError("another version of HTTP")
    if is_upgrade:
        # The parser ends such a request after its head, so that its body would be read as the next request.
        raise ValueError("upgrades are not supported")
    hosts, encodings = _values(headers)
    _check_hosts(version, target, hosts)
    if encodings and (version == "1.0" or [encoding.lower() for encoding in encodings] != [b"chunked"]):
        raise ValueError("an unknown transfer encoding")


def _values(headers: Headers) -> tuple[list[bytes], list[bytes]]:
    """Return the values of all headers Host, and of all headers Transfer-Encoding."""
    hosts, encodings = [], []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            encodings.append(value)
    return hosts, encodings


def _check_hosts(version: str, target: bytes, hosts: list[bytes]) -> None:
    """HTTP/1.0 does without a Host (health checks of load balancers); Flask then takes the address of the socket."""
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        raise ValueError("not one Host header")
    if hosts and not HOST.fullmatch(hosts[0]):
        raise ValueError("an invalid Host header")
    if target.startswith(b"/"):
        return
    # The absolute form, which clients use for proxies (RFC 9112, 3.2.2). Its host replaces the header's.
    if not target.lower().startswith((b"http://", b"https://")):
        raise ValueError("an unknown form of the target")
    if not hosts or urlsplit(target).netloc.lower() != hosts[0].lower():
        raise ValueError("two different hosts")


def describe_first_line(error: BaseException | None, url: bytes, packet: bytes) -> str:
    """Return the parser's error in the first line of a request as a sentence; "" for an error elsewhere.

    `url` is what the parser has read of the URL, and `packet` are the bytes in which it met the error.
    """
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return INVALID_URL
    if str(error).startswith(_VERSION_ERRORS):
        return HTTP_VERSION
    # After a space the parser expects the version of HTTP.
    if not str(error).startswith("Expected HTTP/"):
        return ""
    # Earlier requests in the same packet may have had the same URL.
    line = re.search(rb"^\S+ +%b +(?!HTTP/\d)(.*?)\r?$" % re.escape(url), packet, re.MULTILINE)
    return HTTP_VERSION if line and _VERSION.fullmatch(line[1]) else SPACE_IN_URL
