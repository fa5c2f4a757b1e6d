"""The address of the server: its listening socket, and the configuration of uvicorn."""

import socket
import sys
from typing import TYPE_CHECKING, Any

from uvicorn import Config

import config
from glific_gpt.errors import SettingsError
from glific_gpt.server.processes import HEALTHCHECK_TIMEOUT_SECONDS, LISTEN_FAILURE

if TYPE_CHECKING:
    from glific_gpt.server.asgi import AsgiBridge

GRACEFUL_SHUTDOWN_SECONDS = 9
"""How long running calls may take to end after SIGTERM."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept open.

Proxies close theirs after up to 60 seconds, and must be first. So must Glific: its client (hackney) reuses a connection
for 60 seconds, and does not repeat a request on one that was closed meanwhile.
"""

BACKLOG = 4096
"""Connections that wait to be accepted."""
ACCEPTED_PER_PASS = 8
"""Connections that the event loop accepts in one pass."""

MSG_CANNOT_LISTEN = "The server cannot listen on {}: it is in use, or not an address of this machine."


def bind_socket(bind: str) -> socket.socket:
    """Return a socket with the address, which does not listen yet. Raises SettingsError.

    uvicorn lets it listen when the app is loaded. A server that cannot start therefore takes no connection, which a
    load balancer would send to it.
    """
    host, _, port = bind.rpartition(":")
    refused = SettingsError(MSG_CANNOT_LISTEN.format(bind))
    # getaddrinfo would take another port for a larger number: 4464 for 70000.
    if int(port) > config.MAX_PORT:
        raise refused
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an earlier server may be ending
        if family == socket.AF_INET6:  # "::" includes IPv4, as in other servers
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not socket.has_dualstack_ipv6())
        listener.bind(address[:2])
    except OSError:
        raise refused from None
    return listener


def duplicate(listener: socket.socket) -> list[socket.socket]:
    """Return the listening socket with its duplicates, as many as connections are accepted in one pass.

    libuv, on which uvloop is built, accepts one connection of each socket in a pass of the loop
    (https://github.com/libuv/libuv/pull/3696). With one socket, a connection that arrived after a thousand others
    waited for a thousand passes.
    """
    return [listener, *(listener.dup() for _ in range(ACCEPTED_PER_PASS - 1))]


class CannotListen(Exception):
    """Another server was faster: two sockets can have the same address as long as none listens."""


class ServerConfig(Config):
    """Lets the socket listen when the app is loaded.

    uvloop, which would do it, ignores an address in use: the server would run and never get a connection.
    """

    def __init__(self, app: "AsgiBridge | str", listener: socket.socket, **options: Any) -> None:
        super().__init__(app, **options)
        self._listener = listener

    def load(self) -> None:
        """Load the app, and listen. If that fails, one of several processes exits with LISTEN_FAILURE."""
        super().load()
        try:
            self._listener.listen(self.backlog)
        except OSError:
            if self.use_subprocess:
                sys.exit(LISTEN_FAILURE)
            raise CannotListen from None


def uvicorn_config(app: "AsgiBridge | str", listener: socket.socket, *, processes: int = 1) -> Config:
    # uvicorn imports the app by name in each of several processes, and calls it as a factory.
    return ServerConfig(
        app,
        listener,
        factory=isinstance(app, str),
        workers=processes,
        interface="asgi3",
        loop="uvloop",
        http="glific_gpt.server.http_protocol:HttpProtocol",
        ws="none",
        lifespan="on",  # with "auto", uvicorn serves even if the start-up fails
        log_config=None,  # uvicorn would install its own handlers, which write lines that are not JSON and not redacted
        log_level="error",
        access_log=False,  # the webhook logs each call itself
        proxy_headers=False,  # login_throttle.py reads X-Forwarded-For, by the number of trusted proxies
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        timeout_worker_healthcheck=HEALTHCHECK_TIMEOUT_SECONDS,
    )
