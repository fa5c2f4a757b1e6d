"""Limits on tests of connections: an organization can enter any login, also that of another organization."""

import math
import time
from collections import deque
from threading import Lock

from glific_gpt.errors import MSG_LOGIN_REFUSED, MSG_MANY_LOGINS, RateLimited
from glific_gpt.glific.resumption import ApiAccess

MAX_TESTS_PER_MINUTE = 5
"""Of one organization, in each process. Glific allows 60 logins a minute, and this server's resumptions need them."""
MINUTE_SECONDS = 60.0
REFUSED_PAUSE_SECONDS = 10.0
"""Time after a refused login in which the same phone number is not tested, so that nobody guesses passwords."""


class LoginTests:
    """Counts the tests of this process. Resuming a flow is not a test, and is not limited here."""

    def __init__(self) -> None:
        self._times: dict[int, deque[float]] = {}
        """Times of the last tests, by organization."""
        self._paused: dict[int, float] = {}
        """Ends of pauses, by hash of address and phone number, so that no phone number is kept."""
        self._lock = Lock()

    def count(self, organization_id: int) -> None:
        """Count a test. Raises RateLimited if the organization has had too many within a minute."""
        with self._lock:
            now = time.monotonic()
            times = self._times.setdefault(organization_id, deque(maxlen=MAX_TESTS_PER_MINUTE))
            if len(times) == MAX_TESTS_PER_MINUTE and now - times[0] < MINUTE_SECONDS:
                raise RateLimited(MSG_MANY_LOGINS, retry_after=math.ceil(times[0] + MINUTE_SECONDS - now))
            times.append(now)

    def check_pause(self, access: ApiAccess) -> None:
        """Raises RateLimited shortly after a refused test of the same phone number, whatever the password."""
        with self._lock:
            left = self._paused.get(_key(access), 0.0) - time.monotonic()
        if left > 0:
            raise RateLimited(MSG_LOGIN_REFUSED, retry_after=math.ceil(left))

    def pause(self, access: ApiAccess) -> None:
        """After a refused login."""
        with self._lock:
            now = time.monotonic()
            self._paused = {key: end for key, end in self._paused.items() if end > now}
            self._paused[_key(access)] = now + REFUSED_PAUSE_SECONDS


def _key(access: ApiAccess) -> int:
    return hash((access.api_url, access.phone))  # Python's hashes of texts differ in each process
