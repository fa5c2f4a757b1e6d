"""Checks of a request's head that uvicorn and its parser leave out."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

VERSIONS = {"1.0", "1.1"}
LABEL = rb"[A-Za-z0-9_~-]{1,63}"
HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|" + LABEL + rb"(\." + LABEL + rb")*\.?)(:[0-9]{1,5})?")
"""A host name or address, with a port. Flask builds addresses from it, and no pages for other names."""

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
