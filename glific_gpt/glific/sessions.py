"""Logins to Glific, kept in memory: one at a time for each account, and as few as Glific's limits ask for."""

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
from glific_gpt.glific.http import TOO_LATE, HttpClients
from glific_gpt.glific.login import Token, log_in
from glific_gpt.glific.resume import ApiAccess, Reply, Undelivered, Verdict, try_later

MOST_ACCOUNTS = 10_000
"""Past it the account that was used longest ago is forgotten, which costs it one login."""

REFUSED_SECONDS = 30.0
"""How long a refused login is not tried again: Glific counts them, sixty a minute."""
SAME_MOMENT_SECONDS = 0.25
"""How long a login that failed for another reason is not: less than anybody waits between two tries."""


@dataclass
class _Account:
    """What is known of one login; moments are seconds on `time.monotonic()`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by the thread that logs in."""
    token: Token | None = None
    failure: Verdict | None = None
    retry_at: float = 0.0
    failed_at: float = 0.0

    def usable_token(self, asked: float) -> str | None:
        """Read without the lock, so the token is looked at once."""
        token = self.token
        return token.value if token and token.is_usable(asked) else None

    def raise_failure(self, asked: float) -> None:
        """Raises Undelivered when the newest login failed, and that counts for a thread that asked at that moment."""
        left = self.retry_at - time.monotonic()
        if self.failure is None or (left <= 0 and self.failed_at < asked):
            return
        is_limit = self.failure.retry_after is not None
        raise Undelivered(replace(self.failure, retry_after=max(0.0, left) if is_limit else None))

    def succeeded(self, token: Token) -> None:
        self.token, self.failure = token, None

    def failed(self, verdict: Verdict) -> None:
        usual = REFUSED_SECONDS if verdict.reply is Reply.REFUSED else SAME_MOMENT_SECONDS
        wait = usual if verdict.retry_after is None else verdict.retry_after
        self.failure, self.failed_at = verdict, time.monotonic()
        self.retry_at = self.failed_at + wait
        if verdict.reply is Reply.REFUSED:
            self.token = None


class Sessions:
    """The logins of all organizations in one process."""

    def __init__(self, http: HttpClients) -> None:
        self._http = http
        self._accounts: OrderedDict[bytes, _Account] = OrderedDict()
        self._lock = threading.Lock()
        self._secret = secrets.token_bytes(32)

    def token(self, access: ApiAccess, deadline: Deadline) -> str:
        """A token that is still good. Raises Undelivered."""
        asked = time.monotonic()
        account = self._account(access)
        if token := account.usable_token(asked):
            return token
        with _alone(account, deadline):
            if token := account.usable_token(asked):
                return token
            account.raise_failure(asked)
            return self._log_in(account, access, deadline)

    def verify(self, access: ApiAccess, deadline: Deadline) -> None:
        """Logs in whatever is remembered, unless Glific asked to be left alone. Raises Undelivered."""
        account = self._account(access)
        with _alone(account, deadline):
            if account.failure and account.failure.retry_after is not None:
                account.raise_failure(time.monotonic())
            self._log_in(account, access, deadline)

    def forget(self, access: ApiAccess, token: str) -> None:
        """Glific does not accept this token any more; one that came since stays."""
        account = self._account(access)
        with self._lock:
            if account.token and account.token.value == token:
                account.token = None

    def _log_in(self, account: _Account, access: ApiAccess, deadline: Deadline) -> str:
        try:
            token = log_in(self._http, access, deadline)
        except Undelivered as failed:
            account.failed(failed.verdict)
            raise
        account.succeeded(token)
        return token.value

    def _account(self, access: ApiAccess) -> _Account:
        """A new password is a new account. What it is kept under tells neither password nor phone."""
        login = "\0".join((access.api_url, access.phone, access.password.get_secret_value()))
        key = hmac.new(self._secret, login.encode(), hashlib.sha256).digest()
        with self._lock:
            account = self._accounts.setdefault(key, _Account())
            self._accounts.move_to_end(key)
            if len(self._accounts) > MOST_ACCOUNTS:
                self._accounts.popitem(last=False)
        return account


@contextmanager
def _alone(account: _Account, deadline: Deadline) -> Iterator[None]:
    """While inside, no other thread logs in to the account. Raises Undelivered when it is not its turn in time."""
    if not account.lock.acquire(timeout=deadline.remaining()):
        raise Undelivered(try_later(TOO_LATE))
    try:
        yield
    finally:
        account.lock.release()
