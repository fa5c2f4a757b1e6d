"""The calls of the last minute in memory, for the request limits of one process."""

import time
from collections import deque
from threading import Lock
from typing import Any

from limits.storage import MemoryStorage


class RequestWindows(MemoryStorage):
    """The library's moving windows in memory, but it forgets subjects without a recent call.

    Callers choose the contacts. The library keeps a list for every contact that ever called, and after each call a
    thread of its own reads all of these lists.
    """

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        super().__init__(uri, **options)
        self._times: dict[str, deque[float]] = {}
        """Times of the counted calls of each subject, oldest first. The subject that called last is at the end."""
        self._lock = Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count a call. Return False, and count nothing, if the limit is reached. All limits have the same expiry."""
        with self._lock:
            now = time.time()
            self._forget(now - expiry)
            times = self._times.get(key) or deque()
            while times and times[0] < now - expiry:
                times.popleft()
            if len(times) + amount > limit:
                return False
            times.extend([now] * amount)
            self._times.pop(key, None)
            self._times[key] = times
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of the oldest counted call, and the number of counted calls."""
        with self._lock:
            now = time.time()
            times = [counted for counted in self._times.get(key, ()) if counted >= now - expiry]
            return (times[0], len(times)) if times else (now, 0)

    def _forget(self, oldest: float) -> None:
        """Remove the subjects with an older last call."""
        while self._times:
            key, times = next(iter(self._times.items()))
            if times[-1] >= oldest:
                break
            del self._times[key]
