"""A stand-in for Glific over a real socket: logins, waiting flows, and misbehaviour on demand."""

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
"""The login that there is from the start."""

HALF_AN_HOUR = 30 * 60.0


class GlificStandIn(StandIn[GlificExchange]):
    """Glific for a test or a benchmark: `with GlificStandIn() as glific:`, then connect to `url`.

    Every flow waits for every contact, as often as it is resumed; with `one_wait_each` once.
    Who decides what happens: for a login the queue of `will_at_login`, then `always_at_login`; for all else
    the queue of `will`, then `always`. A reset forgets everything but the phrase.
    """

    def __init__(self, port: int = 0, *, one_wait_each: bool = False, phrase: str | None = None) -> None:
        self._one_wait_each = one_wait_each
        self.phrase = phrase
        """What signed calls must be signed with; None: not checked."""
        super().__init__(port)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def logins(self) -> list[Login]:
        """Requests for a token that were answered as Glific answers."""
        return self.state.logins()

    @property
    def resumptions(self) -> list[Resumption]:
        """Those that were understood, whether a flow was waiting or not."""
        return self.state.resumptions()

    def will_at_login(self, *behaviours: Behaviour) -> None:
        """The next logins get these, one each, in this order."""
        with self._lock:
            self._login_queue.extend(behaviours)

    def always_at_login(self, behaviour: Behaviour) -> None:
        """From now on, when that queue is empty."""
        self._always_at_login = behaviour

    def wait_later(self, *, resumes: int = 0, seconds: float = 0.0, pair: Pair | None = None) -> None:
        """Flows (or one contact's in one flow) wait only after so many resumptions too early, and so many seconds."""
        self.state.park(pair, WaitCondition(resumes, time.monotonic() + seconds if seconds else 0.0))

    def forget_tokens(self) -> None:
        """As when Glific is deployed anew: every token is void."""
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
