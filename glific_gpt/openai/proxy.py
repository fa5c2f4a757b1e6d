"""The proxy for connections to OpenAI, from HTTPS_PROXY and NO_PROXY, and the tunnel through it (RFC 9110, 9.3.6)."""

import asyncio
import base64
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

from glific_gpt.errors import SettingsError

MSG_NO_PROXY_ADDRESS = "HTTPS_PROXY is not the address of a proxy, as in http://user:password@host:3128."

MAX_HEAD_BYTES = 16 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)
    """Value of the header Proxy-Authorization."""

    @property
    def name(self) -> str:
        """Its address, without the password."""
        return f"{self.host}:{self.port}"

    def connect_request(self, host: str, port: int) -> bytes:
        """Return the request for a tunnel to this host."""
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        head = [f"CONNECT {target} HTTP/1.1".encode(), f"Host: {target}".encode()]
        if self.authorization:
            head.append(b"Proxy-Authorization: " + self.authorization)
        return b"\r\n".join([*head, b"", b""])


class ProxyRefused(OSError):
    """The proxy opened no tunnel."""


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy for this https URL; None for others, and for hosts in NO_PROXY. Raises SettingsError."""
    target = urlsplit(url)
    # Names in lower case are read too, as by curl and Python itself.
    proxy_url = getproxies_environment().get("https")
    if target.scheme != "https" or not proxy_url or proxy_bypass_environment(target.netloc.rpartition("@")[2]):
        return None
    try:
        parts = urlsplit(proxy_url if "://" in proxy_url else f"http://{proxy_url}")
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:  # the port is not a number
        raise SettingsError(MSG_NO_PROXY_ADDRESS) from None
    if parts.scheme != "http" or not host:
        raise SettingsError(MSG_NO_PROXY_ADDRESS)
    return Proxy(host, port, _authorization(parts.username, parts.password))


def _authorization(username: str | None, password: str | None) -> bytes | None:
    if username is None:
        return None
    return b"Basic " + base64.b64encode(f"{unquote(username)}:{unquote(password or '')}".encode())


class Tunnel(asyncio.Protocol):
    """The protocol of a connection to a proxy, until the proxy has opened the tunnel."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head = bytearray()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises ProxyRefused."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self.opened.done():
            return
        status = _STATUS_LINE.match(self._head)
        if b"\r\n\r\n" not in self._head:
            if len(self._head) > MAX_HEAD_BYTES:
                self._refuse("the proxy's reply is too large")
        elif status and status[1].startswith(b"2"):
            self.opened.set_result(None)
        else:
            self._refuse(f"the proxy answered {status[1].decode()}" if status else "the proxy's reply is not HTTP")

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.opened.done():
            self._refuse("the proxy closed the connection")

    def _refuse(self, reason: str) -> None:
        self.opened.set_exception(ProxyRefused(reason))
