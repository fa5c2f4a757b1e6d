"""A conversation between a person and a flow: what is typed goes in, what is answered and called comes out."""

import threading
import time
from collections.abc import Callable
from typing import Any

from glific_gpt.flows.files import Export
from glific_gpt.flows.simulator.context import Clock, World, stamped
from glific_gpt.flows.simulator.event_log import Diary, TroubleCode
from glific_gpt.flows.simulator.flows import Flow, Flows
from glific_gpt.flows.simulator.http_call import call
from glific_gpt.flows.simulator.outcomes import Message, media, place, written
from glific_gpt.flows.simulator.people import Contact, Organization, Person
from glific_gpt.flows.simulator.record import Record
from glific_gpt.flows.structure import as_kept
from glific_gpt.http_client import AddressPolicy

MOST_WAKE_UPS = 100
"""In one `pass_time`; a flow that wakes itself for ever is left alone after these."""


class Conversation(Record):
    """One contact in the flows of a file, as Glific runs them.

    Webhooks are called over real sockets, by the thread that has made the flow come to them; no lock is
    held meanwhile. All of it may be used from several threads.
    """

    def __init__(
        self,
        export: Export,
        *,
        organization: Organization = Organization(),  # noqa: B008 - it is frozen
        contact: Contact = Contact(),  # noqa: B008
        flow_id: int = 5,
        now: Callable[[], float] = time.monotonic,
        allows: AddressPolicy | None = None,
    ) -> None:
        """`flow_id` is Glific's id of the first flow in the file, the others follow; `allows` limits whom it calls."""
        self._clock = Clock(now)
        self._diary = Diary()
        super().__init__(World(Flows.of(export, flow_id), organization, Person.of(contact), self._clock, self._diary))
        self._allows = allows

    def start(self, keyword: str = "") -> None:
        """Begins the flow of that keyword, as if it was typed; without one the first flow, as staff begin it."""
        if keyword:
            self.say(keyword)
            return
        with self._changed:
            self._begin(next(iter(self._world.flows.all), None), {})
        self._carry_on()

    def say(self, text: str) -> None:
        """What the person types. A keyword starts its flow anew."""
        message = written(text)
        with self._changed:
            self._catch_up()
            self._diary.person(message.body)
            flow = self._world.flows.of_keyword(message.body)
            if flow is not None:
                self._begin(flow, {"flow_keyword": _keyword(message)})
            else:
                self._receive(message)
        self._carry_on()

    def image(self, url: str = "https://example.org/picture.jpg", caption: str = "") -> None:
        self._send(media("image", url, caption), "picture")

    def audio(self, url: str = "https://example.org/voice.ogg") -> None:
        self._send(media("audio", url, ""), "voice message")

    def video(self, url: str = "https://example.org/video.mp4", caption: str = "") -> None:
        self._send(media("video", url, caption), "video")

    def document(self, url: str = "https://example.org/paper.pdf", caption: str = "") -> None:
        self._send(media("document", url, caption), "document")

    def location(self, latitude: float = 28.6, longitude: float = 77.2) -> None:
        self._send(place(latitude, longitude), "place")

    def resume(self, result: dict[str, Any], *, contact_id: int, flow_id: int) -> str | None:
        """As resumeContactFlow does; `result` is by the names of results. None, or Glific's own refusal.

        A webhook that the flow comes to is called by another thread: who resumes does not wait for it.
        """
        with self._changed:
            self._catch_up()
            refusal = self._resumed(result, contact_id, flow_id)
            if self._engine.calling is not None:
                threading.Thread(target=self._carry_on, daemon=True).start()
            self._changed.notify_all()
        return refusal

    def pass_time(self, seconds: float) -> None:
        """Moves the conversation's clock on, and lets waits that are over by then run out one by one."""
        until = self._clock.moved + seconds
        for _ in range(MOST_WAKE_UPS):
            with self._changed:
                self._clock.moved = min(until, self._until_next())
                woken = self._engine.wake()
            self._carry_on()
            if not woken:
                break
        with self._changed:
            self._clock.moved = until

    def _resumed(self, result: dict[str, Any], contact_id: int, flow_id: int) -> str | None:
        context = self._engine.context
        here = context is not None and context.waits == "result" and context.flow.id == flow_id
        if not here or contact_id != self._world.person.contact.id:
            return f"{contact_id} does not have any active flows awaiting results."
        self._engine.resume(result)
        return None

    def _begin(self, flow: Flow | None, results: dict[str, Any]) -> None:
        self._begun = True
        if flow is None:
            self._diary.trouble(TroubleCode.HANGS, "There is no flow in this file.")
        else:
            self._engine.begin(flow, results)

    def _send(self, message: Message, what: str) -> None:
        with self._changed:
            self._catch_up()
            self._diary.person(f"({what}) {message.body}".strip())
            self._receive(message)
        self._carry_on()

    def _receive(self, message: Message) -> None:
        self._begun = True
        self._engine.receive(message)

    def _catch_up(self) -> None:
        """Waits that ran out by the real clock."""
        self._engine.wake()

    def _until_next(self) -> float:
        context = self._engine.context
        if context is None or context.wakes_at is None:
            return float("inf")
        return self._clock.moved + max(0.0, context.wakes_at - self._clock())

    def _carry_on(self) -> None:
        """Calls webhooks until the flow comes to none."""
        while True:
            with self._changed:
                taken, self._engine.calling = self._engine.calling, None
                self._changed.notify_all()
            if taken is None:
                return
            answer = call(taken[1], self._allows)
            with self._changed:
                self._engine.answered(*taken, answer)


def _keyword(message: Message) -> dict[str, Any]:
    return stamped({"input": as_kept(message.body), "category": message.body})
