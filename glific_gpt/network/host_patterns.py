"""Patterns of hosts that the operator allows, and the parts of URLs that they are compared with."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

import httpx2

from glific_gpt.errors import SettingsError
from glific_gpt.network.ip_addresses import is_public
from glific_gpt.wildcards import MAX_STARS, has_too_many_stars, matches

# `[scheme://]host[:port]`. An IPv6 host is in brackets; any other host has no colon.
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._*-]+)(?::(?P<port>[0-9]{1,5}|\*))?", re.IGNORECASE
)
DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class HostPattern:
    """One pattern of hosts that the operator allows."""

    schemes: frozenset[str]
    host: str
    """In lower case. `*` matches any number of characters, including dots."""
    port: str
    """Digits, `*` for any port, or empty for the default port of the scheme."""

    @classmethod
    def parse(cls, pattern: str, variable: str, example: str) -> "HostPattern":
        """Parse `[scheme://]host[:port]`. Raises SettingsError, which names the variable and an example of a host.

        Without a scheme only https is allowed. A loopback host without scheme or port allows http, too, and any port.
        """
        match = _PATTERN.fullmatch(pattern.strip())
        if match is None:
            raise SettingsError(
                f"{variable} contains {pattern!r}, which is not a host pattern. Write {example}, or "
                "http://127.0.0.1:4000 with a scheme and a port."
            )
        if has_too_many_stars(match["host"]):
            raise SettingsError(f"{variable} contains {pattern!r}, which has too many stars. Use at most {MAX_STARS}.")
        host = _normalize_host(match["host"].lower())
        default_schemes = {"https", "http"} if is_loopback(host) else {"https"}
        schemes = {match["scheme"].lower()} if match["scheme"] else default_schemes
        return cls(frozenset(schemes), host, match["port"] or ("*" if is_loopback(host) else ""))

    def matches(self, scheme: str, host: str, port: int, *, exact_only: bool) -> bool:
        """Return whether the pattern allows this host. With `exact_only` wildcards do not count."""
        if scheme not in self.schemes or not self._matches_port(scheme, port):
            return False
        return host == self.host or (not exact_only and matches(self.host, host))

    def _matches_port(self, scheme: str, port: int) -> bool:
        if self.port == "*":
            return True
        return port == int(self.port or DEFAULT_PORTS[scheme])


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine, including names below localhost (RFC 6761, 6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _normalize_host(host: str) -> str:
    """Return an IP address without brackets in its shortest form, and a name unchanged."""
    bare = host.strip("[]")
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


Address = IPv4Address | IPv6Address

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")


class Origin(NamedTuple):
    """Scheme, host and port of a URL."""

    scheme: str
    """https or http."""
    host: str
    """In lower case, an IP address in its shortest form and without brackets."""
    port: int

    @property
    def text(self) -> str:
        """The origin as it is written in a URL. The default port is left out."""
        authority = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == DEFAULT_PORTS[self.scheme]
        return f"{self.scheme}://{authority}" if is_default else f"{self.scheme}://{authority}:{self.port}"


def parse_url(url: str) -> tuple[Origin, str]:
    """Return the origin and the path. International names become ASCII (IDNA).

    Raises ValueError for a URL that is no address of an API: with another scheme, with a user name, a query or a
    fragment, or with an impossible host or port.
    """
    try:
        parsed = httpx2.URL(url)
        host = parsed.raw_host.decode("ascii").lower()
    except httpx2.InvalidURL as error:
        raise ValueError("this is not a URL") from error
    address = parse_address(host)
    if parsed.scheme not in DEFAULT_PORTS or set("?#@%") & set(url):
        raise ValueError("this is not the URL of an API")
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65536 or (address is None and not _HOST_NAME.fullmatch(host)):
        raise ValueError("this host or port is not possible")
    return Origin(parsed.scheme, str(address or host), port), parsed.path


def parse_address(host: str) -> Address | None:
    """Return the IP address that a host is; None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def needs_exact_match(host: str) -> bool:
    """Return whether only a pattern without wildcards may allow this host: loopback and private addresses."""
    address = parse_address(host)
    return is_loopback(host) if address is None else not is_public(address)
