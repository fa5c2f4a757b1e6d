"""A limit on the responses of this process that clients have not read yet."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from glific_gpt.network import ip_addresses

log = structlog.get_logger()

MAX_UNSENT_BYTES = 64 * 1024 * 1024
"""Memory for such responses. The console's largest file has 0.7 MB."""


@dataclass(frozen=True)
class _Blocked:
    """A connection that waits for its client."""

    network: str
    size: int
    abort: Callable[[], None]


class UnsentBytes:
    """Counts the unsent bytes of connections that wait for their client. Only the event loop's thread may use it.

    Beyond the limit, the client with the most unsent bytes loses the connection that has waited longest.
    """

    def __init__(self, limit: int = MAX_UNSENT_BYTES) -> None:
        self._limit = limit
        self._blocked: dict[object, _Blocked] = {}
        """By connection, in the order in which they began to wait."""

    def add(self, connection: object, address: str, size: int, abort: Callable[[], None]) -> None:
        """Count a connection until `remove`, and abort connections beyond the limit, perhaps this one."""
        self._blocked[connection] = _Blocked(ip_addresses.network(address), size, abort)
        while sum(each.size for each in self._blocked.values()) > self._limit:
            self._abort_one()

    def remove(self, connection: object) -> None:
        """Stop counting a connection, if it is counted."""
        self._blocked.pop(connection, None)

    def _abort_one(self) -> None:
        sizes: dict[str, int] = {}
        for each in self._blocked.values():
            sizes[each.network] = sizes.get(each.network, 0) + each.size
        largest = max(sizes, key=lambda network: sizes[network])
        connection = next(key for key, each in self._blocked.items() if each.network == largest)
        log.warning("slow_reader_disconnected", address=largest, unsent_bytes=sizes[largest])
        self._blocked.pop(connection).abort()
