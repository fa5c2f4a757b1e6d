"""Large responses, such as exports of calls: they are kept in temporary files, and not in memory."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from threading import BoundedSemaphore
from typing import IO, Any

MAX_MEMORY_BYTES = 1024 * 1024
"""Size from which a response is kept in a file. Pages are smaller."""
MAX_FILES = 20
"""Files of this process. Further large responses are refused until a client has read its response."""
SEND_SECONDS = 300.0
"""Time for a client to read such a response. With a slow client, another one may wait for the file's place."""
CHUNK_BYTES = 64 * 1024

Send = Callable[[Any], Awaitable[None]]

_places = BoundedSemaphore(MAX_FILES)


class TooManyFiles(Exception):
    """No place was free."""


class ResponseFile:
    """A large response in a temporary file, which is deleted after `send`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = file.tell()

    async def send(self, start: dict[str, Any], send: Send) -> None:
        """Send the start of the response and the file in chunks, each when the client has taken the earlier ones.

        Raises TimeoutError.
        """
        try:
            self._file.seek(0)
            await send(start)
            async with asyncio.timeout(SEND_SECONDS):
                # A chunk is read from the system's cache, which takes microseconds.
                while chunk := self._file.read(CHUNK_BYTES):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    await asyncio.sleep(0)  # `send` does not wait for a fast client
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.close()

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
            _places.release()


def collect(parts: Iterable[bytes]) -> bytes | ResponseFile:
    """Return the parts of a response together, in a file if they are large. Raises TooManyFiles."""
    body, iterator = bytearray(), iter(parts)
    for part in iterator:
        body += part
        if len(body) > MAX_MEMORY_BYTES:
            return _write(body, iterator)
    return bytes(body)


def _write(beginning: bytearray, rest: Iterable[bytes]) -> ResponseFile:
    if not _places.acquire(blocking=False):
        raise TooManyFiles
    file = tempfile.TemporaryFile()  # noqa: SIM115 - ResponseFile closes it
    try:
        file.write(beginning)
        for part in rest:
            file.write(part)
    except BaseException:
        file.close()
        _places.release()
        raise
    return ResponseFile(file)
