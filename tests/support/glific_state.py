"""State of the Glific stand-in: tokens, waiting flows, and past logins and resumptions."""

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace

from tests.support.glific_exchange import Login, Resumption

Pair = tuple[int, int]
"""A flow's id and a contact's."""


@dataclass(frozen=True)
class WaitCondition:
    """The condition for a flow to wait: a number of early resumptions has arrived, and a time has come."""

    resumes: int = 0
    at: float = 0.0


class GlificState:
    """State that threads can share. Every flow waits for every contact each time it is resumed."""

    def __init__(self, *, one_wait_each: bool) -> None:
        self._lock = threading.Lock()
        self._one_wait_each = one_wait_each
        self._tokens: dict[str, float] = {}
        self._parking: dict[Pair | None, WaitCondition] = {None: WaitCondition()}
        self._too_early: Counter[Pair] = Counter()
        self._resumed: set[Pair] = set()
        self._logins: list[Login] = []
        self._resumptions: list[Resumption] = []

    def new_token(self, seconds: float) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens[token] = time.monotonic() + seconds
        return token

    def knows(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > time.monotonic()

    def forget_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    def park(self, pair: Pair | None, parking: WaitCondition) -> None:
        with self._lock:
            self._parking[pair] = parking

    def add_login(self, login: Login) -> None:
        with self._lock:
            self._logins.append(login)

    def resume(self, resumed: Resumption) -> bool:
        """Record the resumption and report whether the flow was waiting."""
        with self._lock:
            delivered = resumed.delivered and self._is_waiting((resumed.flow_id, resumed.contact_id))
            self._resumptions.append(replace(resumed, delivered=delivered))
        return delivered

    def _is_waiting(self, pair: Pair) -> bool:
        parking = self._parking.get(pair) or self._parking[None]
        if self._too_early[pair] < parking.resumes or time.monotonic() < parking.at:
            self._too_early[pair] += 1
            return False
        if self._one_wait_each and pair in self._resumed:
            return False
        self._resumed.add(pair)
        return True

    def logins(self) -> list[Login]:
        with self._lock:
            return list(self._logins)

    def resumptions(self) -> list[Resumption]:
        with self._lock:
            return list(self._resumptions)
