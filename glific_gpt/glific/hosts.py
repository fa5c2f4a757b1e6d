"""One pattern of GLIFIC_GPT_GLIFIC_HOSTS: `[scheme://]host[:port]`, where host may have `*`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

from glific_gpt.errors import InvalidValue, SettingsError

# The host is in brackets (IPv6), or has no colon.
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._*-]+)(?::(?P<port>[0-9]{1,5}|\*))?", re.IGNORECASE
)
DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class HostPattern:
    """Hosts that the operator allows."""

    schemes: frozenset[str]
    host: str
    """In lower case; `*` stands for any number of characters, dots too."""
    port: str
    """Digits, `*` for any, or empty for the scheme's own."""

    @classmethod
    def read(cls, pattern: str) -> "HostPattern":
        """Without a scheme it means https, and http too where it names a loopback host, which has any port then.

        Raises SettingsError.
        """
        found = _PATTERN.fullmatch(pattern.strip())
        if found is None:
            raise SettingsError(
                f"GLIFIC_GPT_GLIFIC_HOSTS holds {pattern!r}, which is no host: write *.glific.com, or "
                "http://127.0.0.1:4000 with a scheme and a port."
            )
        host = _normal(found["host"].lower())
        usual = {"https", "http"} if is_loopback(host) else {"https"}
        schemes = {found["scheme"].lower()} if found["scheme"] else usual
        return cls(frozenset(schemes), host, found["port"] or ("*" if is_loopback(host) else ""))

    def matches(self, scheme: str, host: str, port: int, *, needs_name: bool) -> bool:
        """`needs_name`: whether only a pattern that names this very host may allow it."""
        if scheme not in self.schemes or not self._has_port(scheme, port):
            return False
        return host == self.host or (not needs_name and self._pattern().fullmatch(host) is not None)

    def _has_port(self, scheme: str, port: int) -> bool:
        if self.port == "*":
            return True
        return port == int(self.port or DEFAULT_PORTS[scheme])

    def _pattern(self) -> re.Pattern[str]:
        return re.compile(".*".join(re.escape(part) for part in self.host.split("*")))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this very machine (RFC 6761, 6.3: so does all below localhost)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _normal(host: str) -> str:
    """An IP address without brackets, in its shortest form; a name as it is."""
    bare = host.strip("[]")
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


FORM = (
    "The address of the Glific API must look like https://api.<shortcode>.glific.com, "
    "without a user name, a path or a query."
)
LONGEST_URL = 300

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
# An IPv4 address can hide in these: RFC 6052 (NAT64).
_NAT64 = ip_network("64:ff9b::/96")
# Never the Internet's, whatever the standard library's is_global says of some: a network's own translation (RFC 8215),
# IPv4-compatible and site-local addresses (RFC 4291), protocol assignments (RFC 6890).
_INSIDE = [ip_network(each) for each in ("64:ff9b:1::/48", "::/96", "fec0::/10", "192.0.0.0/24")]

Address = IPv4Address | IPv6Address


class Hosts:
    """The operator's patterns, asked whenever an address is saved, used and connected to."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises SettingsError for a pattern that is none."""
        self._named = ", ".join(patterns) or "none"
        self._patterns = [HostPattern.read(pattern) for pattern in patterns]

    def checked_url(self, url: str) -> str:
        """`scheme://host[:port]` in its one normal form. Raises InvalidValue.

        International names are written in ASCII (IDNA). A path of /api, as Glific's documentation has it, is cut off.
        """
        scheme, host, port = _parts(url.strip())
        if not any(pattern.matches(scheme, host, port, needs_name=_needs_name(host)) for pattern in self._patterns):
            raise InvalidValue(
                f"This server may not talk to a Glific API at that address; its operator allows: {self._named[:150]}."
            )
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}" if port == DEFAULT_PORTS[scheme] else f"{scheme}://{shown}:{port}"

    def may_connect(self, host: str, address: str) -> bool:
        """Whether a checked host may be reached at an IP address that its name resolves to.

        An address that was named itself has passed the patterns; a name may lead into no private network.
        """
        if _as_address(host) is not None:
            return True
        found = ip_address(address)
        return found.is_loopback if is_loopback(host) else _is_public(found)


def _parts(url: str) -> tuple[str, str, int]:
    """Scheme, host in lower case (an IP address in its shortest form), port. Raises InvalidValue."""
    try:
        found = httpx2.URL(url)
        host = found.raw_host.decode("ascii").lower()
    except (httpx2.InvalidURL, ValueError):
        raise InvalidValue(FORM) from None
    address = _as_address(host)
    well_formed = found.scheme in DEFAULT_PORTS and found.path in {"", "/", "/api", "/api/"}
    if not well_formed or len(url) > LONGEST_URL or set("?#@%") & set(url):
        raise InvalidValue(FORM)
    port = DEFAULT_PORTS[found.scheme] if found.port is None else found.port
    if not 0 < port < 65536 or (address is None and not _HOST_NAME.fullmatch(host)):
        raise InvalidValue(FORM)
    return found.scheme, str(address or host), port


def _needs_name(host: str) -> bool:
    """Whether no wildcard may mean this host, only a pattern that names it."""
    address = _as_address(host)
    return is_loopback(host) if address is None else not _is_public(address)


def _as_address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    inside = any(address in network for network in _INSIDE)
    return address.is_global and not address.is_multicast and not inside
