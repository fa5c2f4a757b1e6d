"""Allowlist of Glific hosts, from the patterns in GLIFIC_GPT_GLIFIC_HOSTS."""

from collections.abc import Sequence
from ipaddress import ip_address

from glific_gpt.errors import HostNotAllowed, InvalidValue
from glific_gpt.network.host_patterns import (
    HostPattern,
    Origin,
    is_loopback,
    needs_exact_match,
    parse_address,
    parse_url,
)
from glific_gpt.network.ip_addresses import is_public

VARIABLE = "GLIFIC_GPT_GLIFIC_HOSTS"
URL_FORMAT = (
    "The address of the Glific API must look like https://api.<shortcode>.glific.com, "
    "without a user name, a path or a query."
)
MAX_URL_LENGTH = 300


class HostAllowlist:
    """The operator's patterns. They are checked when an address is saved, when it is used, and at every connection."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises SettingsError for an invalid pattern."""
        self._sources = patterns
        self._patterns = [HostPattern.parse(pattern, VARIABLE, "*.glific.com") for pattern in patterns]

    def validate_url(self, url: str) -> str:
        """Return the URL in its normal form, `scheme://host[:port]`. Raises InvalidValue, also HostNotAllowed.

        International names become ASCII (IDNA). The path /api from Glific's documentation is removed.
        """
        origin = _parse_url(url.strip())
        exact_only = needs_exact_match(origin.host)
        if not any(pattern.matches(*origin, exact_only=exact_only) for pattern in self._patterns):
            raise HostNotAllowed(self._sources)
        return origin.text

    def may_connect(self, host: str, address: str) -> bool:
        """Return whether a validated host may be reached at this IP address.

        A host that is an IP address was checked by the patterns. A name must not resolve to a private network.
        """
        if parse_address(host) is not None:
            return True
        resolved = ip_address(address)
        return resolved.is_loopback if is_loopback(host) else is_public(resolved)


def _parse_url(url: str) -> Origin:
    """Return the origin of a Glific API's URL. Raises InvalidValue."""
    try:
        origin, path = parse_url(url)
    except ValueError:
        raise InvalidValue(URL_FORMAT) from None
    if path not in {"", "/", "/api", "/api/"} or len(url) > MAX_URL_LENGTH:
        raise InvalidValue(URL_FORMAT)
    return origin
