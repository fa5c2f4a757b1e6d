"""Addresses of the OpenAI API that a key may have: the regions of OpenAI, Azure, and servers that imitate the API."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from glific_gpt.errors import MSG_OPENAI_URL_FORMAT, InvalidValue, OpenAiHostNotAllowed
from glific_gpt.network.host_patterns import (
    HostPattern,
    Origin,
    is_loopback,
    needs_exact_match,
    parse_address,
    parse_url,
)
from glific_gpt.network.ip_addresses import is_public

VARIABLE = "GLIFIC_GPT_OPENAI_HOSTS"
MAX_URL_LENGTH = 300
"""Length of the column that stores a base URL."""

REGIONS = ("us", "eu", "in", "ae", "au", "ca", "gb", "jp", "kr", "sg")
"""Regions with a host of their own. Source: https://developers.openai.com/api/docs/guides/data-residency"""

_OPENAI = "api.openai.com"
# Source: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
_AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
_PRIVATE_SUFFIXES = (".internal", ".local", ".lan", ".home.arpa")
_ENDPOINTS = ("/chat/completions", "/responses", "/models")
"""Ends of addresses that people copy from examples."""


def region_url(region: str) -> str:
    """Return the base URL of a region of OpenAI."""
    return f"https://{region}.{_OPENAI}/v1"


def is_openai_host(host: str) -> bool:
    """Return whether OpenAI itself serves this host."""
    return host == _OPENAI or host.endswith(f".{_OPENAI}")


def is_region(base_url: str | None) -> bool:
    """Return whether this is the address of a region of OpenAI."""
    return base_url is not None and host_of(base_url).endswith(f".{_OPENAI}")


def is_azure_host(host: str) -> bool:
    return host.endswith(_AZURE)


def serves_openai(base_url: str | None) -> bool:
    """Return whether OpenAI's models are behind this address, with OpenAI's prices and both of its endpoints.

    This is assumed of the server's own address, for which `base_url` is None.
    """
    host = host_of(base_url) if base_url else _OPENAI
    return is_openai_host(host) or is_azure_host(host)


def host_of(base_url: str) -> str:
    return urlsplit(base_url).hostname or ""


class OpenAiHosts:
    """The operator's patterns. They are checked when an address is saved, when it is used, and at every connection."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises SettingsError for an invalid pattern."""
        self._sources = patterns
        self._patterns = [HostPattern.parse(pattern, VARIABLE, "*.api.openai.com") for pattern in patterns]

    @property
    def allows_others(self) -> bool:
        """True if the operator allows hosts beside those of OpenAI."""
        return not all(is_openai_host(pattern.host.removeprefix("*.")) for pattern in self._patterns)

    def allowed_regions(self) -> list[str]:
        """Return the regions of OpenAI that the operator allows."""
        origins = {region: Origin("https", host_of(region_url(region)), 443) for region in REGIONS}
        return [region for region, origin in origins.items() if self._matches(origin)]

    def validate_url(self, url: str) -> str:
        """Return the base URL in its normal form, without a slash at its end.

        The path of OpenAI or Azure is added to a host of theirs. Raises InvalidValue, also OpenAiHostNotAllowed.
        """
        try:
            origin, path = parse_url(url.strip())
        except ValueError:
            raise InvalidValue(MSG_OPENAI_URL_FORMAT) from None
        normal = origin.text + _normalize_path(origin.host, path)
        if len(normal) > MAX_URL_LENGTH:
            raise InvalidValue(MSG_OPENAI_URL_FORMAT)
        if not self._matches(origin):
            raise OpenAiHostNotAllowed(self._sources)
        return normal

    def may_connect(self, base_url: str, address: str) -> bool:
        """Return whether the host of a validated base URL may be reached at this IP address.

        A host that is an IP address was checked by the patterns. A name may resolve to a private address only if the
        operator names that address too, or a name that no public host can have.
        """
        origin, _ = parse_url(base_url)
        if parse_address(origin.host) is not None:
            return True
        resolved = ip_address(address.partition("%")[0])  # the resolver adds the zone to link-local addresses
        if is_loopback(origin.host):
            return resolved.is_loopback
        if is_public(resolved) or _is_private_name(origin.host):
            return True
        return self._matches(Origin(origin.scheme, str(resolved), origin.port))

    def _matches(self, origin: Origin) -> bool:
        exact_only = needs_exact_match(origin.host) or _is_private_name(origin.host)
        return any(pattern.matches(*origin, exact_only=exact_only) for pattern in self._patterns)


def _normalize_path(host: str, path: str) -> str:
    path = path.rstrip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    if path:
        return path
    if is_openai_host(host):
        return "/v1"
    return "/openai/v1" if is_azure_host(host) else ""


def _is_private_name(host: str) -> bool:
    """Return whether a host is a name with a meaning in a private network only, such as the name of a container."""
    return parse_address(host) is None and ("." not in host or host.endswith(_PRIVATE_SUFFIXES))
