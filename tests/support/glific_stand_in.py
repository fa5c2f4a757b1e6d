"""A stand-in for Glific over a real socket: logins, waiting flows, and failures on demand."""

import threading
import time
from collections import deque

from tests.support.glific_answers import answer
from tests.support.glific_exchange import LOGIN_PATH, Behaviour, GlificExchange, Login, Resumption
from tests.support.glific_state import GlificState, Pair, WaitCondition
from tests.support.openai_exchange import ByteWriter, ReceivedRequest
from tests.support.stand_in_server import StandIn

PHONE = "917834811114"
PASSWORD = "a made-up password of Glific"
"""The account that exists from the start."""

HALF_AN_HOUR = 30 * 60.0


class GlificStandIn(StandIn[GlificExchange]):
    """Glific for a test or a benchmark: `with GlificStandIn() as glific:`, then connect to `url`.

    Every flow waits for every contact each time it is resumed, or only once with `one_wait_each`. The behaviour of a
    login is the next one in the queue of `will_at_login`, then that of `always_at_login`. The behaviour of other
    requests is the next one in the queue of `will`, then that of `always`. A reset clears everything except the phrase.
    """

    def __init__(self, port: int = 0, *, one_wait_each: bool = False, phrase: str | None = None) -> None:
        self._one_wait_each = one_wait_each
        self.phrase = phrase
        """The phrase with which calls must be signed. None if signatures are not checked."""
        super().__init__(port)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def logins(self) -> list[Login]:
        """Logins that got Glific's normal response."""
        return self.state.logins()

    @property
    def resumptions(self) -> list[Resumption]:
        """Valid resumptions, no matter if a flow was waiting."""
        return self.state.resumptions()

    def will_at_login(self, *behaviours: Behaviour) -> None:
        """Queue behaviours for the next logins, one each, in this order."""
        with self._lock:
            self._login_queue.extend(behaviours)

    def always_at_login(self, behaviour: Behaviour) -> None:
        """Set the behaviour of logins when that queue is empty."""
        self._always_at_login = behaviour

    def wait_later(self, *, resumes: int = 0, seconds: float = 0.0, pair: Pair | None = None) -> None:
        """Let all flows, or that of one pair, wait only after this number of early resumptions and this time."""
        self.state.park(pair, WaitCondition(resumes, time.monotonic() + seconds if seconds else 0.0))

    def forget_tokens(self) -> None:
        """Revoke all tokens, as a new deployment of Glific does."""
        self.state.forget_tokens()

    def _begin(self) -> None:
        self._login_queue: deque[Behaviour] = deque()
        self._always = self._always_at_login = answer()
        self.state = GlificState(one_wait_each=self._one_wait_each)
        self.accounts = {PHONE: PASSWORD}
        self.suspended: set[str] = set()
        self.token_seconds = HALF_AN_HOUR

    def _choose(self, received: ReceivedRequest) -> Behaviour:
        if received.path == LOGIN_PATH:
            return self._login_queue.popleft() if self._login_queue else self._always_at_login
        return super()._choose(received)

    def _exchange(self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event) -> GlificExchange:
        return GlificExchange(received, wire, released, self)
