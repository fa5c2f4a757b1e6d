"""Glific logins in memory: at most one login at a time per account, within Glific's rate limits."""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from glific_gpt.clock import Deadline
from glific_gpt.glific.http import TIMED_OUT, HttpClients
from glific_gpt.glific.login import AccessToken, log_in
from glific_gpt.glific.resumption import ApiAccess, DeliveryError, DeliveryResult, DeliveryStatus, temporary_failure
from glific_gpt.runtime.event_loop import require_thread

MAX_ACCOUNTS = 10_000
"""Beyond this number the least recently used account is dropped, which costs it one login."""

REFUSED_LOGIN_RETRY_SECONDS = 30.0
"""Minimum time between two attempts of a refused login. Glific allows 60 logins a minute."""
FAILED_LOGIN_RETRY_SECONDS = 0.25
"""Minimum time after another failure. It is shorter than any delay between two delivery attempts."""


@dataclass
class _Account:
    """State of one login. Times are seconds of `time.monotonic()`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by the thread that logs in."""
    token: AccessToken | None = None
    failure: DeliveryResult | None = None
    retry_at: float = 0.0
    failed_at: float = 0.0

    def usable_token(self, requested_at: float) -> str | None:
        token = self.token  # read once, because the caller may not hold the lock
        return token.value if token and token.is_usable(requested_at) else None

    def raise_failure(self, requested_at: float) -> None:
        """Raise DeliveryError if the newest login failed and that failure also counts for this request.

        It counts until its retry time, and for every request that was waiting when it happened.
        """
        left = self.retry_at - time.monotonic()
        if self.failure is None or (left <= 0 and self.failed_at < requested_at):
            return
        is_rate_limited = self.failure.retry_after is not None
        raise DeliveryError(replace(self.failure, retry_after=max(0.0, left) if is_rate_limited else None))

    def record_success(self, token: AccessToken) -> None:
        self.token, self.failure = token, None

    def record_failure(self, result: DeliveryResult) -> None:
        is_refused = result.status is DeliveryStatus.REFUSED
        default = REFUSED_LOGIN_RETRY_SECONDS if is_refused else FAILED_LOGIN_RETRY_SECONDS
        wait = default if result.retry_after is None else result.retry_after
        self.failure, self.failed_at = result, time.monotonic()
        self.retry_at = self.failed_at + wait
        if is_refused:
            self.token = None


class LoginSessions:
    """Logins of all organizations in this process."""

    def __init__(self, http: HttpClients) -> None:
        self._http = http
        self._accounts: OrderedDict[bytes, _Account] = OrderedDict()
        self._lock = threading.Lock()
        self._secret = secrets.token_bytes(32)

    def token(self, access: ApiAccess, deadline: Deadline) -> str:
        """Return a valid token, from memory or by a login. Raises DeliveryError."""
        requested_at = time.monotonic()
        account = self._account(access)
        if token := account.usable_token(requested_at):
            return token
        with _exclusive(account, deadline):
            # Another thread may have logged in, or failed to, while this one waited for the lock.
            if token := account.usable_token(requested_at):
                return token
            account.raise_failure(requested_at)
            return self._log_in(account, access, deadline)

    def verify(self, access: ApiAccess, deadline: Deadline) -> None:
        """Log in even if there is a token, unless Glific asked to wait. Raises DeliveryError."""
        account = self._account(access)
        with _exclusive(account, deadline):
            if account.failure and account.failure.retry_after is not None:
                account.raise_failure(time.monotonic())
            self._log_in(account, access, deadline)

    def discard(self, access: ApiAccess, token: str) -> None:
        """Discard a token that Glific no longer accepts. A newer token is kept."""
        account = self._account(access)
        with self._lock:
            if account.token and account.token.value == token:
                account.token = None

    def _log_in(self, account: _Account, access: ApiAccess, deadline: Deadline) -> str:
        try:
            token = log_in(self._http, access, deadline)
        except DeliveryError as error:
            account.record_failure(error.result)
            raise
        account.record_success(token)
        return token.value

    def _account(self, access: ApiAccess) -> _Account:
        """Return the state of a login. A new password makes a new account, so an old failure does not block it.

        The key is an HMAC, so that neither password nor phone number is kept.
        """
        login = "\0".join((access.api_url, access.phone, access.password.get_secret_value()))
        key = hmac.new(self._secret, login.encode(), hashlib.sha256).digest()
        with self._lock:
            account = self._accounts.setdefault(key, _Account())
            self._accounts.move_to_end(key)
            if len(self._accounts) > MAX_ACCOUNTS:
                self._accounts.popitem(last=False)
        return account


@contextmanager
def _exclusive(account: _Account, deadline: Deadline) -> Iterator[None]:
    """Hold the account's lock, so that only one thread logs in. Raises DeliveryError at the deadline."""
    require_thread("_exclusive")
    if not account.lock.acquire(timeout=deadline.remaining()):
        raise DeliveryError(temporary_failure(TIMED_OUT))
    try:
        yield
    finally:
        account.lock.release()
