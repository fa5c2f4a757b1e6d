"""Network faults: dropped packets and stopped servers. Dropping needs Linux."""

import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
"""Constants of asm-generic/socket.h, for which Python has no names."""

DROP_ALL_FILTER = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A socket filter with the only instruction 'return 0', which keeps no byte of a packet (linux/filter.h)."""


def drop_packets(end: socket.socket) -> None:
    """Drop arriving packets in the kernel before they are acknowledged. A listening socket drops connections."""
    program = ctypes.create_string_buffer(DROP_ALL_FILTER, len(DROP_ALL_FILTER))
    end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


@contextmanager
def dropping_listener(host: str, port: int = 0) -> Iterator[socket.socket]:
    """Yield a socket that listens on this address and drops connections."""
    with socket.create_server((host, port)) as listener:
        drop_packets(listener)
        yield listener


class FaultyProxy:
    """A TCP proxy that can drop packets or stop forwarding: `with FaultyProxy("127.0.0.1", 5432) as proxy:`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends = [self._listener]
        self._stopped = threading.Event()
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def stop_forwarding(self) -> None:
        """Stop forwarding. Arriving bytes are still acknowledged, as by a server with a process that hangs."""
        self._stopped.set()

    def drop_packets(self) -> None:
        """Drop the packets of open connections and of new ones."""
        for end in self._ends:
            drop_packets(end)

    def drop_packets_of_open_connections(self) -> None:
        """Drop the packets of open connections. New ones work."""
        for end in self._ends:
            if end is not self._listener:
                drop_packets(end)

    def restore(self) -> None:
        """Stop dropping packets. Lost ones arrive when they are sent again."""
        for end in self._ends:
            end.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._ends += (near, far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while some := source.recv(65536):
                if not self._stopped.is_set():
                    target.sendall(some)
            target.shutdown(socket.SHUT_WR)
