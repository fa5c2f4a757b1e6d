"""One request to the Glific stand-in, and its records of logins and resumptions."""

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
    """A login that got Glific's normal response."""

    phone: str
    at: float
    """Seconds on `time.monotonic()`."""
    accepted: bool


@dataclass(frozen=True)
class Resumption:
    """A valid request to resume a flow, no matter if a flow was waiting."""

    way: Literal["api", "signed"]
    flow_id: int
    contact_id: int
    result_name: str
    result: dict[str, Any]
    """The result that the flow would get under this name."""
    at: float
    """Seconds on `time.monotonic()`."""
    delivered: bool
    signature_is_right: bool | None = None
    """For a signed call. None if the stand-in has no phrase to check it with."""


class GlificExchange(Exchange):
    """A request that waits for its response, and the stand-in that received it."""

    def __init__(
        self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event, stand_in: "GlificStandIn"
    ) -> None:
        super().__init__(received, wire, released, models=[])
        self.stand_in = stand_in


Behaviour = Callable[[GlificExchange], None]
