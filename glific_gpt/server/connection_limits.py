"""Limits on the connections of clients: for the process, and for the address of a client."""

import resource
import time
from collections import Counter

import structlog

from glific_gpt.network import ip_addresses
from glific_gpt.settings import Settings

log = structlog.get_logger()

RESERVED_FILES = 100
"""File descriptors for files, logs, the database and the worker."""
MAX_LINGERING = 50
LOG_INTERVAL_SECONDS = 10.0


class ConnectionLimits:
    """Counts the connections of this process. Only the event loop's thread may use it."""

    def __init__(self, max_connections: int, max_per_address: int | None) -> None:
        """With None, as behind a proxy, from which all connections come, an address has no limit."""
        self._max_connections = max_connections
        self._max_per_address = max_per_address
        self._by_network: Counter[str] = Counter()
        self._count = 0
        self._refused_open = 0
        self._refused = 0
        self._logged_at = -LOG_INTERVAL_SECONDS

    @property
    def may_linger(self) -> bool:
        """True while few refused connections are open, so that another one may stay open for its response."""
        return self._refused_open <= MAX_LINGERING

    @classmethod
    def from_settings(cls, settings: Settings) -> "ConnectionLimits":
        """Each connection may need a second one, to OpenAI, so the limit is below half of the open files."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        usable = max(1, (files - RESERVED_FILES) // 2) if files != resource.RLIM_INFINITY else settings.max_connections
        is_direct = settings.trusted_proxy_count == 0
        per_address = settings.max_connections_per_address if is_direct else None
        return cls(min(settings.max_connections, usable), per_address)

    def add(self, address: str) -> bool:
        """Count a new connection, unless a limit is reached."""
        if self._count >= self._max_connections:
            return self._refuse("GLIFIC_GPT_MAX_CONNECTIONS, or half of the open files", self._max_connections, None)
        network = ip_addresses.network(address)
        if self._max_per_address is not None and self._by_network[network] >= self._max_per_address:
            return self._refuse("GLIFIC_GPT_MAX_CONNECTIONS_PER_ADDRESS", self._max_per_address, address)
        self._count += 1
        self._by_network[network] += 1
        return True

    def remove_refused(self) -> None:
        """Stop counting a connection that `add` has refused, when it is closed."""
        self._refused_open -= 1

    def remove(self, address: str) -> None:
        """Stop counting a connection that `add` has counted."""
        network = ip_addresses.network(address)
        self._count -= 1
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    def _refuse(self, limit: str, maximum: int, address: str | None) -> bool:
        """Log the first refused connection, and then at most one line in each interval. Return False."""
        self._refused_open += 1
        self._refused += 1
        now = time.monotonic()
        if now - self._logged_at >= LOG_INTERVAL_SECONDS:
            log.warning("connections_refused", limit=limit, maximum=maximum, address=address, count=self._refused)
            self._refused, self._logged_at = 0, now
        return False
