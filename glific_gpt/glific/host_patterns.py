"""One pattern of GLIFIC_GPT_GLIFIC_HOSTS: `[scheme://]host[:port]`, where host may have `*`."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from glific_gpt.errors import SettingsError

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
