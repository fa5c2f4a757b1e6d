"""A limit on the pages and API requests of an organization that wait for OpenAI or Glific at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from glific_gpt.errors import MSG_TWO_TESTS, RateLimited

MAX_WAITING = 2


class OrganizationLimit:
    """Counts these requests in one process.

    Each occupies a thread for seconds. Without a limit, one person could occupy the threads of all pages.
    """

    def __init__(self, maximum: int = MAX_WAITING) -> None:
        self._maximum = maximum
        self._waiting: Counter[str] = Counter()
        """By organization. Organizations without such a request are not in it."""
        self._lock = Lock()

    @contextmanager
    def hold(self, slug: str) -> Iterator[None]:
        """Count a request of the organization. Raises RateLimited if the maximum is reached."""
        with self._lock:
            if self._waiting[slug] >= self._maximum:
                raise RateLimited(MSG_TWO_TESTS, retry_after=1)
            self._waiting[slug] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[slug] -= 1
                if not self._waiting[slug]:
                    del self._waiting[slug]
