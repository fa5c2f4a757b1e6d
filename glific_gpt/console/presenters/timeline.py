"""Timeline of a call: its events with a title, a detail and the time since the call arrived."""

import re
from dataclasses import dataclass
from datetime import datetime

from flask_babel import LazyString, lazy_gettext, ngettext
from flask_babel import gettext as _

from glific_gpt.calls import timeline as call_timeline
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import CallTimeline, TimelineEvent
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import error_name

FIRST_WORDS = re.compile("[a-z ]+")
TITLES = {
    "arrived": lazy_gettext("The call arrived"),
    "accepted": lazy_gettext("The flow started to wait"),
    "asked": lazy_gettext("OpenAI was asked"),
    "answered": lazy_gettext("OpenAI answered"),
    "failed": lazy_gettext("The call failed"),
    "interrupted": lazy_gettext("The call was interrupted"),
    "retried": lazy_gettext("Delivery was restarted by a user"),
    "resumed": lazy_gettext("The flow got its answer"),
    "given up": lazy_gettext("Delivery failed"),
}
"""By the first words of an event's description."""

ICONS = {
    "arrived": "webhook",
    "accepted": "clock",
    "asked": "send",
    "answered": "message-circle",
    "retried": "refresh",
    "resumed": "circle-check",
}
FAILURE_KINDS = ("failed", "interrupted", "given up")


@dataclass(frozen=True)
class Event:
    """One event, with the texts that the page shows."""

    at: datetime
    elapsed: str
    """Time since the call arrived."""
    title: LazyString
    detail: str
    icon: str
    is_failure: bool


def present_timeline(timeline: CallTimeline) -> list[Event]:
    """Return the events of a call, the first one first."""
    return [_present_event(timeline, event) for event in call_timeline.events(timeline)]


def kind(event: TimelineEvent) -> str:
    """Return the kind of an event: a key of TITLES."""
    match = FIRST_WORDS.match(event.what)
    return match[0] if match else ""


def _present_event(timeline: CallTimeline, event: TimelineEvent) -> Event:
    event_kind = kind(event)
    elapsed = event.at - timeline.call.started_at
    return Event(
        at=event.at,
        elapsed=numbers.format_seconds(max(0, round(elapsed.total_seconds() * 1000))),
        title=TITLES[event_kind],
        detail=_detail(timeline, event_kind),
        icon=ICONS.get(event_kind, "alert-triangle"),
        is_failure=event_kind in FAILURE_KINDS,
    )


def _detail(timeline: CallTimeline, event_kind: str) -> str:
    call = timeline.call
    if event_kind == "arrived":
        return str(_("for %(model)s", model=call.model_asked)) if call.model_asked else ""
    if event_kind == "answered":
        return _describe_usage(call)
    if event_kind == "failed":
        return ": ".join(filter(None, (str(error_name(timeline.own_error or "")), call.cause)))
    if event_kind == "interrupted":
        return str(_("The server was stopped before there was an answer."))
    return _describe_delivery(timeline) if event_kind in {"resumed", "given up"} else ""


def _describe_usage(call: Call) -> str:
    """Return model and tokens. A function may have used no model."""
    model = call.model_used or call.model_asked or ""
    if call.input_tokens is None:
        return model
    values = {"model": model, "given": call.input_tokens, "got": call.output_tokens or 0}
    return str(_("%(model)s, %(given)s tokens in, %(got)s tokens out", **values))


def _describe_delivery(timeline: CallTimeline) -> str:
    """Return the number of attempts and Glific's last response, which is not translated."""
    delivery = timeline.delivery
    if delivery is None:
        return ""
    attempts = ngettext("after %(num)s attempt", "after %(num)s attempts", delivery.attempts)
    return f"{attempts}: {delivery.last_response}" if delivery.last_response else str(attempts)
