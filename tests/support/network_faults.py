"""Networks that go silent: whatever arrives at a socket is lost without a word to its sender (Linux alone)."""

import ctypes
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

import pytest

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
"""Of asm-generic/socket.h; Python has no names for them."""

DROP_ALL_FILTER = struct.pack("HBBI", 0x06, 0, 0, 0)
"""The socket filter of one instruction, 'return 0': of no packet a byte is kept (linux/filter.h)."""

requires_linux = pytest.mark.skipif(sys.platform != "linux", reason="sockets have such filters on Linux alone")


def drop_packets(end: socket.socket) -> None:
    """The kernel drops what arrives here before it is acknowledged; a listening socket swallows connections."""
    program = ctypes.create_string_buffer(DROP_ALL_FILTER, len(DROP_ALL_FILTER))
    end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


@contextmanager
def dropping_listener(host: str, port: int = 0) -> Iterator[socket.socket]:
    """A socket that listens there and lets nobody connect."""
    with socket.create_server((host, port)) as listener:
        drop_packets(listener)
        yield listener


class FaultyProxy:
    """Passes TCP on to an address, until it falls silent: `with Proxy("127.0.0.1", 5432) as proxy:`."""

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
        """What arrives is still acknowledged, as by a server that has stopped."""
        self._stopped.set()

    def drop_packets(self) -> None:
        """For open connections and new ones."""
        for end in self._ends:
            drop_packets(end)

    def restore(self) -> None:
        """What was lost arrives when it is sent again."""
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
