"""What can be seen of a conversation at a moment, from any thread."""

import copy
import threading
from typing import Any, Literal

from glific_gpt.flows.simulator.context import World
from glific_gpt.flows.simulator.engine import Engine
from glific_gpt.flows.simulator.event_log import Line, Trouble, WebhookCall, drawn


class Record:
    """The side of a conversation that is read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._engine = Engine(world)
        self._begun = False
        self._changed = threading.Condition(threading.RLock())

    @property
    def lines(self) -> list[Line]:
        """Everything, in its order."""
        with self._changed:
            return list(self._world.diary.lines)

    @property
    def messages(self) -> list[str]:
        """What the flow has sent."""
        return [line.text for line in self.lines if line.who == "flow"]

    @property
    def calls(self) -> list[WebhookCall]:
        with self._changed:
            return list(self._world.diary.calls)

    @property
    def results(self) -> dict[str, Any]:
        """What the flow has stored so far, by name; of the innermost flow, and nothing when it has ended."""
        with self._changed:
            return copy.deepcopy(self._engine.context.results) if self._engine.context else {}

    @property
    def trouble(self) -> list[Trouble]:
        """What the flow's author should mend; a call that failed is in `calls`."""
        with self._changed:
            return list(self._world.diary.troubles)

    @property
    def waits_for(self) -> Literal["reply", "result", "time"] | None:
        """None too when it hangs, has ended, or a webhook is being called."""
        with self._changed:
            waits = self._engine.context.waits if self._engine.context else None
        return waits if waits in {"reply", "result", "time"} else None

    @property
    def ended(self) -> bool:
        """Whether the contact is in no flow any more."""
        with self._changed:
            return self._begun and self._engine.context is None

    @property
    def hangs(self) -> bool:
        """Whether nothing but a keyword can bring the flow to answer again."""
        with self._changed:
            return self._engine.context is not None and self._engine.context.waits == "nothing"

    @property
    def seconds_left(self) -> float | None:
        """Of its wait; None when it does not wait, or waits without end."""
        with self._changed:
            wakes_at = self._engine.context.wakes_at if self._engine.context else None
            return None if wakes_at is None else max(0.0, wakes_at - self._world.clock())

    def transcript(self) -> str:
        """The conversation as the person sees it, with notes in brackets, for a terminal of 80 columns."""
        return drawn(self.lines)

    def settle(self, seconds: float = 120.0) -> bool:
        """Blocks until the flow waits for neither a webhook nor a result; False when there was not time enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_busy(), seconds)

    def settle_webhook(self, seconds: float = 15.0) -> bool:
        """Blocks until no webhook is being called; False when there was not time enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._is_calling(), seconds)

    def _is_calling(self) -> bool:
        context = self._engine.context
        return context is not None and context.waits == "webhook"

    def _is_busy(self) -> bool:
        context = self._engine.context
        return context is not None and context.waits in {"webhook", "result"}
