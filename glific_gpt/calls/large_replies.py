"""Limit on the large stored answers of an organization, so that it cannot fill the disk."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from threading import Lock

from glific_gpt.clock import now

LARGE_BYTES = 16 * 1024
"""Bytes of ciphertext from which on an answer counts. WhatsApp messages are smaller, only JSON is larger."""
MAX_BYTES = 64 * 1024 * 1024
"""Limit of each process for the answers of an organization that are stored at the same time."""


class LargeReplies:
    """Counts the bytes of large answers that this process has stored. It is in memory: a query would take too long."""

    def __init__(self, period: timedelta, max_bytes: int = MAX_BYTES) -> None:
        """`period` is how long an answer is stored."""
        self._period = period
        self._max_bytes = max_bytes
        self._stored: defaultdict[int, deque[tuple[datetime, int]]] = defaultdict(deque)
        """Times and sizes by organization, oldest first."""
        self._lock = Lock()

    def admit(self, organization_id: int, size: int) -> bool:
        """Count an answer of that many bytes, and return True if it may be stored. Small ones are not counted."""
        if size < LARGE_BYTES:
            return True
        with self._lock:
            stored = self._stored[organization_id]
            while stored and stored[0][0] < now() - self._period:
                stored.popleft()
            if sum(bytes_ for _, bytes_ in stored) + size > self._max_bytes:
                return False
            stored.append((now(), size))
            return True
