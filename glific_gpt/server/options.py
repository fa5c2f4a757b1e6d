"""Options of the HTTP protocol, which are the same for all connections of a process."""

from dataclasses import dataclass, field

from glific_gpt.server.connection_limits import ConnectionLimits
from glific_gpt.server.unsent_bytes import UnsentBytes
from glific_gpt.settings import Settings

ABORT = "glific_gpt.abort"
"""Key of the ASGI scope: a function that closes the connection without waiting for the client to read."""


@dataclass(frozen=True)
class ServerOptions:
    """Security headers of the responses that the app does not make, limits on connections and memory, and proxies."""

    headers: tuple[tuple[str, str], ...]
    connections: ConnectionLimits
    trusted_proxies: int = 0
    """Number of the operator's own proxies in front of the server."""
    unsent_bytes: UnsentBytes = field(default_factory=UnsentBytes)

    @classmethod
    def from_settings(cls, settings: Settings) -> "ServerOptions":
        headers = tuple(settings.response_headers().items())
        return cls(headers, ConnectionLimits.from_settings(settings), settings.trusted_proxy_count)


DEFAULT_OPTIONS = ServerOptions((("X-Content-Type-Options", "nosniff"),), ConnectionLimits(10_000, None))
