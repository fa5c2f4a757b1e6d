"""A limit on the requests of an organization that a process works on at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from glific_gpt.errors import RateLimited


class OrganizationLimit:
    """Counts requests in one process.

    Each occupies a thread. Without a limit, one person could occupy the threads of all pages.
    """

    def __init__(self, maximum: int, message: str) -> None:
        """`message` is that of the error for a request beyond the limit."""
        self._maximum = maximum
        self._message = message
        self._active: Counter[str] = Counter()
        """By organization. Organizations without such a request are not in it."""
        self._lock = Lock()

    @contextmanager
    def hold(self, slug: str) -> Iterator[None]:
        """Count a request of the organization. Raises RateLimited if the maximum is reached."""
        self.begin(slug)
        try:
            yield
        finally:
            self.end(slug)

    def begin(self, slug: str) -> None:
        """Count a request until `end`. Raises RateLimited if the maximum is reached."""
        with self._lock:
            if self._active[slug] >= self._maximum:
                raise RateLimited(self._message, retry_after=1)
            self._active[slug] += 1

    def end(self, slug: str) -> None:
        with self._lock:
            self._active[slug] -= 1
            if not self._active[slug]:
                del self._active[slug]
