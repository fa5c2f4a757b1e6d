"""A server with a webhook that flows call: any answer, over a real socket."""

import threading
from collections.abc import Callable
from typing import Any

from tests.support.openai_exchange import ByteWriter, Exchange, ReceivedRequest
from tests.support.stand_in_server import StandIn


class WebhookStandIn(StandIn[Exchange]):
    """`with WebhookStandIn() as webhook:`; it answers `{"parsed_msg": "Salt."}` unless told otherwise."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ask"

    def _begin(self) -> None:
        self._always = json_reply({"parsed_msg": "Salt."})

    def _exchange(self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event) -> Exchange:
        return Exchange(received, wire, released, models=[])


def json_reply(value: Any, status: int = 200) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.send_json(status, value)
