"""Allowlist of Glific hosts, from the patterns in GLIFIC_GPT_GLIFIC_HOSTS."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx2

from glific_gpt.errors import HostNotAllowed, InvalidValue, SettingsError
from glific_gpt.runtime.ip_addresses import is_public
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
    def parse(cls, pattern: str) -> "HostPattern":
        """Parse `[scheme://]host[:port]`. Raises SettingsError.

        Without a scheme only https is allowed. A loopback host without scheme or port allows http, too, and any port.
        """
        match = _PATTERN.fullmatch(pattern.strip())
        if match is None:
            raise SettingsError(
                f"GLIFIC_GPT_GLIFIC_HOSTS contains {pattern!r}, which is not a host pattern. Write *.glific.com, or "
                "http://127.0.0.1:4000 with a scheme and a port."
            )
        if has_too_many_stars(match["host"]):
            raise SettingsError(
                f"GLIFIC_GPT_GLIFIC_HOSTS contains {pattern!r}, which has too many stars. Use at most {MAX_STARS}."
            )
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


URL_FORMAT = (
    "The address of the Glific API must look like https://api.<shortcode>.glific.com, "
    "without a user name, a path or a query."
)
MAX_URL_LENGTH = 300

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
Address = IPv4Address | IPv6Address


class HostAllowlist:
    """The operator's patterns. They are checked when an address is saved, when it is used, and at every connection."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises SettingsError for an invalid pattern."""
        self._sources = patterns
        self._patterns = [HostPattern.parse(pattern) for pattern in patterns]

    def validate_url(self, url: str) -> str:
        """Return the URL in its normal form, `scheme://host[:port]`. Raises InvalidValue, also HostNotAllowed.

        International names become ASCII (IDNA). The path /api from Glific's documentation is removed.
        """
        scheme, host, port = _parse_url(url.strip())
        exact_only = _needs_exact_match(host)
        if not any(pattern.matches(scheme, host, port, exact_only=exact_only) for pattern in self._patterns):
            raise HostNotAllowed(self._sources)
        authority = f"[{host}]" if ":" in host else host
        return f"{scheme}://{authority}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{authority}:{port}"

    def may_connect(self, host: str, address: str) -> bool:
        """Return whether a validated host may be reached at this IP address.

        A host that is an IP address was checked by the patterns. A name must not resolve to a private network.
        """
        if _parse_address(host) is not None:
            return True
        resolved = ip_address(address)
        return resolved.is_loopback if is_loopback(host) else is_public(resolved)


def _parse_url(url: str) -> tuple[str, str, int]:
    """Return scheme, host in lower case (an IP address in its shortest form), and port. Raises InvalidValue."""
    try:
        parsed = httpx2.URL(url)
        host = parsed.raw_host.decode("ascii").lower()
    except (httpx2.InvalidURL, ValueError):
        raise InvalidValue(URL_FORMAT) from None
    address = _parse_address(host)
    well_formed = parsed.scheme in DEFAULT_PORTS and parsed.path in {"", "/", "/api", "/api/"}
    if not well_formed or len(url) > MAX_URL_LENGTH or set("?#@%") & set(url):
        raise InvalidValue(URL_FORMAT)
    port = DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65536 or (address is None and not _HOST_NAME.fullmatch(host)):
        raise InvalidValue(URL_FORMAT)
    return parsed.scheme, str(address or host), port


def _needs_exact_match(host: str) -> bool:
    """Return whether only a pattern without wildcards may allow this host: loopback and private addresses."""
    address = _parse_address(host)
    return is_loopback(host) if address is None else not is_public(address)


def _parse_address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
