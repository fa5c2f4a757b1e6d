"""A simulated conversation between a contact and a flow."""

import copy
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator.context import (
    Contact,
    ContactState,
    GlificOrganization,
    Simulation,
    SimulationClock,
    with_timestamp,
)
from glific_gpt.flows.simulator.engine import Engine
from glific_gpt.flows.simulator.event_log import (
    EventLog,
    Problem,
    ProblemCode,
    TranscriptLine,
    WebhookCall,
    format_transcript,
)
from glific_gpt.flows.simulator.flows import Flow, Flows
from glific_gpt.flows.simulator.outcomes import Message, SendWebhook, location_message, media_message, text_message
from glific_gpt.flows.structure import normalize_keyword

MAX_EXPIRED_WAITS = 100
"""Maximum number of waits that one `advance_clock` ends, because a flow can always start another wait."""


class Conversation:
    """One contact in the flows of a file, as Glific runs them.

    Webhooks are sent by `send`, in the thread of the call that made the flow come to them; no lock is held meanwhile.
    All methods may be called from several threads.
    """

    def __init__(
        self,
        export: Export,
        *,
        send: SendWebhook,
        organization: GlificOrganization = GlificOrganization(),  # noqa: B008 - it is immutable
        contact: Contact = Contact(),  # noqa: B008
        first_flow_id: int = 5,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`first_flow_id` is Glific's id of the first flow in the file; the other flows get the following ids."""
        self._send = send
        self._log = EventLog()
        self._clock = SimulationClock(now)
        flows, contact_state = Flows.from_export(export, first_flow_id), ContactState.from_contact(contact)
        self._simulation = Simulation(flows, organization, contact_state, self._clock, self._log)
        self._engine = Engine(self._simulation)
        self._has_started = False
        self._changed = threading.Condition(threading.RLock())

    def start(self, keyword: str = "") -> None:
        """Start the flow of the keyword, as if it was typed; without one start the first flow, as staff do."""
        if keyword:
            self.send_text(keyword)
            return
        with self._changed:
            self._start_flow(next(iter(self._simulation.flows.all), None), {})
        self._send_webhooks()

    def send_text(self, text: str) -> None:
        """Send a text as the contact. A keyword starts its flow from the beginning."""
        message = text_message(text)
        with self._changed:
            self._expire_wait()
            self._log.add_reply(message.body)
            flow = self._simulation.flows.find_by_keyword(message.body)
            if flow is not None:
                self._start_flow(flow, {"flow_keyword": _keyword_result(message)})
            else:
                self._receive(message)
        self._send_webhooks()

    def send_image(self, url: str = "https://example.org/picture.jpg", caption: str = "") -> None:
        self._send_message(media_message("image", url, caption), "picture")

    def send_audio(self, url: str = "https://example.org/voice.ogg") -> None:
        self._send_message(media_message("audio", url, ""), "voice message")

    def send_location(self, latitude: float = 28.6, longitude: float = 77.2) -> None:
        self._send_message(location_message(latitude, longitude), "location")

    def resume(self, result: dict[str, Any], *, contact_id: int, flow_id: int) -> str | None:
        """Resume the flow as Glific's resumeContactFlow does. Return None, or Glific's error message.

        `result` has the values by result name. If the flow then comes to a webhook, another thread sends it, so that
        the caller does not wait for the response.
        """
        with self._changed:
            self._expire_wait()
            error = self._resume(result, contact_id, flow_id)
            if self._engine.pending_request is not None:
                threading.Thread(target=self._send_webhooks, daemon=True).start()
            self._changed.notify_all()
        return error

    def advance_clock(self, seconds: float) -> None:
        """Advance the clock, and end the waits that time out by then, one after the other."""
        until = self._clock.offset + seconds
        for _ in range(MAX_EXPIRED_WAITS):
            with self._changed:
                self._clock.offset = min(until, self._offset_of_next_timeout())
                has_expired = self._engine.expire_wait()
            self._send_webhooks()
            if not has_expired:
                break
        with self._changed:
            self._clock.offset = until

    @property
    def lines(self) -> list[TranscriptLine]:
        """All events in their order."""
        with self._changed:
            return list(self._log.lines)

    @property
    def messages(self) -> list[str]:
        """The messages that the flow has sent."""
        return [line.text for line in self.lines if line.who == "flow"]

    @property
    def calls(self) -> list[WebhookCall]:
        """The finished webhook calls."""
        with self._changed:
            return list(self._log.calls)

    @property
    def results(self) -> dict[str, Any]:
        """The results of the innermost flow by name; empty if no flow is active."""
        with self._changed:
            # A copy, because the flow may continue in another thread.
            return copy.deepcopy(self._engine.context.results) if self._engine.context else {}

    @property
    def problems(self) -> list[Problem]:
        """Problems that the flow's author should fix; failed calls are in `calls`."""
        with self._changed:
            return list(self._log.problems)

    @property
    def waits_for(self) -> Literal["reply", "result", "time"] | None:
        """The event that the flow waits for; None if it is stuck, has ended, or calls a webhook."""
        with self._changed:
            waits_for = self._engine.context.waits_for if self._engine.context else None
        return waits_for if waits_for in {"reply", "result", "time"} else None

    @property
    def ended(self) -> bool:
        """True if the contact has left all flows."""
        with self._changed:
            return self._has_started and self._engine.context is None

    @property
    def is_stuck(self) -> bool:
        """True if only a keyword makes a flow answer again."""
        with self._changed:
            return self._engine.context is not None and self._engine.context.waits_for == "nothing"

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the current wait ends at the latest; None without a wait, or for a wait without a time-out."""
        with self._changed:
            wakes_at = self._engine.context.wakes_at if self._engine.context else None
            return None if wakes_at is None else max(0.0, wakes_at - self._clock())

    def transcript(self) -> str:
        """Return the conversation as the contact sees it, with notes in brackets, for a terminal of 80 columns."""
        return format_transcript(self.lines)

    def wait_until_settled(self, timeout_seconds: float = 120.0) -> bool:
        """Block until the flow waits for neither a webhook nor a result. Return False after the time-out."""
        return self._block_while_waiting_for({"webhook", "result"}, timeout_seconds)

    def wait_for_webhook(self, timeout_seconds: float = 15.0) -> bool:
        """Block until no webhook is being called. Return False after the time-out."""
        return self._block_while_waiting_for({"webhook"}, timeout_seconds)

    def _block_while_waiting_for(self, kinds: set[str], timeout_seconds: float) -> bool:
        def is_over() -> bool:
            context = self._engine.context
            return context is None or context.waits_for not in kinds

        with self._changed:
            return self._changed.wait_for(is_over, timeout_seconds)

    def _resume(self, result: dict[str, Any], contact_id: int, flow_id: int) -> str | None:
        context = self._engine.context
        is_waiting = context is not None and context.waits_for == "result" and context.flow.id == flow_id
        if not is_waiting or contact_id != self._simulation.contact.id:
            return f"{contact_id} does not have any active flows awaiting results."
        self._engine.receive_result(result)
        return None

    def _start_flow(self, flow: Flow | None, results: dict[str, Any]) -> None:
        self._has_started = True
        if flow is None:
            self._log.add_problem(ProblemCode.STUCK, "There is no flow in this file.")
        else:
            self._engine.start_flow(flow, results)

    def _send_message(self, message: Message, description: str) -> None:
        with self._changed:
            self._expire_wait()
            self._log.add_reply(f"({description}) {message.body}".strip())
            self._receive(message)
        self._send_webhooks()

    def _receive(self, message: Message) -> None:
        self._has_started = True
        self._engine.receive_message(message)

    def _expire_wait(self) -> None:
        """End a wait that has timed out by the real clock, before any other event."""
        self._engine.expire_wait()

    def _offset_of_next_timeout(self) -> float:
        context = self._engine.context
        if context is None or context.wakes_at is None:
            return float("inf")
        return self._clock.offset + max(0.0, context.wakes_at - self._clock())

    def _send_webhooks(self) -> None:
        """Send webhooks until the flow has no pending request."""
        while True:
            with self._changed:
                pending, self._engine.pending_request = self._engine.pending_request, None
                self._changed.notify_all()
            if pending is None:
                return
            context, request = pending
            # Outside the lock: the call takes seconds, and the server may resume the conversation meanwhile.
            response = self._send(request)
            with self._changed:
                self._engine.receive_response(context, request, response)


def _keyword_result(message: Message) -> dict[str, Any]:
    return with_timestamp({"input": normalize_keyword(message.body), "category": message.body})
