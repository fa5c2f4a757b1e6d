"""One request to the Glific stand-in, and what the stand-in remembers of logins and resumptions."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tests.support.openai_exchange import ByteWriter, Exchange, ReceivedRequest

if TYPE_CHECKING:
    from tests.support.glific_stand_in import GlificStandIn

LOGIN_PATH = "/api/v1/session"
API_PATH = "/api"
SIGNED_PATH = "/webhook/flow_resume"


@dataclass(frozen=True)
class Login:
    """A request for a token that was answered as Glific answers."""

    phone: str
    at: float
    """Seconds on `time.monotonic()`."""
    accepted: bool


@dataclass(frozen=True)
class Resumption:
    """A resumption that was understood, whether a flow was waiting for it or not."""

    way: Literal["api", "signed"]
    flow_id: int
    contact_id: int
    result_name: str
    result: dict[str, Any]
    """What the flow would read under its name."""
    at: float
    """Seconds on `time.monotonic()`."""
    delivered: bool
    signature_is_right: bool | None = None
    """Of a signed call; None where there is no phrase to check it under."""


class GlificExchange(Exchange):
    """A request that waits for its answer, and the Glific that it came to."""

    def __init__(
        self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event, stand_in: "GlificStandIn"
    ) -> None:
        super().__init__(received, wire, released, models=[])
        self.stand_in = stand_in


Behaviour = Callable[[GlificExchange], None]
