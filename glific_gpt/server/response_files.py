"""Large responses, such as exports of calls: they are kept in temporary files, and not in memory."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from threading import Lock
from typing import IO, Any

import structlog

log = structlog.get_logger()

MAX_MEMORY_BYTES = 1024 * 1024
"""Size from which a response is kept in a file. Pages are smaller."""
MAX_FILES = 20
"""Files of this process. For a further one, a client that reads slowly is disconnected."""
MAX_FILES_OF_CLIENT = 5
"""Files of one client. For a further one, one of its own connections is closed."""
SEND_SECONDS = 300.0
"""Time for a client to read such a response."""
CHUNK_BYTES = 64 * 1024

Send = Callable[[Any], Awaitable[None]]


class TooManyFiles(Exception):
    """No slot was free, and none can be freed: all of these files are still being written."""


class ResponseFile:
    """A large response of a client in a temporary file, which is deleted after `send`."""

    def __init__(self, client: str, slots: "FileSlots") -> None:
        """`client` is the network of its address."""
        self.client = client
        self._slots = slots
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._disconnect: Callable[[], object] | None = None
        """Closes the client's connection, from any thread. None before the file is sent."""
        self.waiting_since: float | None = None
        """When the client got the chunk that it reads now. None before the file is sent."""

    @property
    def size(self) -> int:
        return self._file.tell()

    def write(self, part: bytes | bytearray) -> None:
        self._file.write(part)

    async def send(self, start: dict[str, Any], send: Send, abort: Callable[[], object]) -> None:
        """Send the start of the response and the file in chunks, each when the client has taken the earlier ones.

        `abort` closes the connection without waiting for the client. After that, `send` has to return immediately.
        """
        loop = asyncio.get_running_loop()
        timer = loop.call_later(SEND_SECONDS, abort)
        try:
            self._file.seek(0)
            self._disconnect = lambda: loop.call_soon_threadsafe(abort)
            self.waiting_since = time.monotonic()
            await send(start)
            # A chunk is read from the system's cache, which takes microseconds.
            while chunk := self._file.read(CHUNK_BYTES):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                self.waiting_since = time.monotonic()
                await asyncio.sleep(0)  # `send` does not wait for a fast client
            await send({"type": "http.response.body", "body": b""})
        finally:
            timer.cancel()
            self.close()

    def disconnect(self) -> None:
        """Close the connection of the client, to which the file is being sent. Can be called in any thread."""
        if self._disconnect:
            self._disconnect()

    def close(self) -> None:
        self._file.close()
        self._slots.give_back(self)


class FileSlots:
    """The slots for files of this process. All threads may use it.

    When none is free, the client with the most files loses the connection on which nothing was read for longest.
    """

    def __init__(self) -> None:
        self._taken: list[ResponseFile] = []
        self._lock = Lock()

    def open(self, client: str) -> ResponseFile:
        """Return an empty file. Raises TooManyFiles."""
        with self._lock:
            of_client = [file for file in self._taken if file.client == client]
            if len(of_client) >= MAX_FILES_OF_CLIENT:
                self._free_one(of_client)
            elif len(self._taken) >= MAX_FILES:
                self._free_one(self._taken)
            file = ResponseFile(client, self)
            self._taken.append(file)
            return file

    def give_back(self, file: ResponseFile) -> None:
        """Free the slot of a file, unless another file has it already."""
        with self._lock:
            if file in self._taken:
                self._taken.remove(file)

    def _free_one(self, files: list[ResponseFile]) -> None:
        sent = [(file, file.waiting_since) for file in files if file.waiting_since is not None]
        if not sent:
            raise TooManyFiles
        numbers = Counter(file.client for file in files)
        slowest, _ = min(sent, key=lambda each: (-numbers[each[0].client], each[1]))
        log.warning("slow_reader_disconnected", address=slowest.client, files=numbers[slowest.client])
        self._taken.remove(slowest)
        slowest.disconnect()


_slots = FileSlots()


def collect(parts: Iterable[bytes], client: str) -> bytes | ResponseFile:
    """Return the parts of a client's response together, in a file if they are large. Raises TooManyFiles."""
    body, iterator = bytearray(), iter(parts)
    for part in iterator:
        body += part
        if len(body) > MAX_MEMORY_BYTES:
            return _write(body, iterator, client)
    return bytes(body)


def _write(beginning: bytearray, rest: Iterable[bytes], client: str) -> ResponseFile:
    file = _slots.open(client)
    try:
        file.write(beginning)
        for part in rest:
            file.write(part)
    except BaseException:
        file.close()
        raise
    return file
