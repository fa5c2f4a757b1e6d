"""Limits on the stored answers of an organization, so that it cannot fill the disk."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from threading import Lock

from glific_gpt.clock import now

LARGE_BYTES = 16 * 1024
"""Size of the ciphertext from which an answer is large. WhatsApp messages are smaller; only JSON is larger."""
MAX_BYTES = 64 * 1024 * 1024
"""Limit for the large answers of an organization that are stored at the same time, in each process."""
MAX_BYTES_IN_TOTAL = 256 * 1024 * 1024
"""The same for answers of any size. It allows 300 answers of a kilobyte each second."""
STEP = timedelta(seconds=1)
"""Answers that arrive within this time are counted together."""


class StoredReplyLimit:
    """Counts the bytes of answers that this process has stored. In memory, because a query would take too long."""

    def __init__(self, period: timedelta, max_bytes: int = MAX_BYTES, *, min_bytes: int = LARGE_BYTES) -> None:
        """`period` is how long an answer is stored. Answers below `min_bytes` are not counted."""
        self._period = period
        self._max_bytes = max_bytes
        self._min_bytes = min_bytes
        self._stored: defaultdict[int, deque[tuple[datetime, int]]] = defaultdict(deque)
        """Times and sizes by organization, oldest first."""
        self._lock = Lock()

    def admit(self, organization_id: int, size: int) -> bool:
        """Count an answer of that many bytes, and return True if it may be stored."""
        if size < self._min_bytes:
            return True
        with self._lock:
            stored, at = self._stored[organization_id], now()
            while stored and stored[0][0] < at - self._period - STEP:
                stored.popleft()
            if sum(bytes_ for _, bytes_ in stored) + size > self._max_bytes:
                return False
            if stored and stored[-1][0] > at - STEP:
                first_at, size_before = stored.pop()
                stored.append((first_at, size_before + size))
            else:
                stored.append((at, size))
            return True
