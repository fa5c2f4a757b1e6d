"""The timeline of a call: each thing that happened, in words, with how long after its arrival."""

import re
from dataclasses import dataclass
from datetime import datetime

from flask_babel import LazyString, lazy_gettext, ngettext
from flask_babel import gettext as _

from glific_gpt.calls import timeline as stories
from glific_gpt.calls.tables import Call
from glific_gpt.calls.timeline import CallTimeline, TimelineEvent
from glific_gpt.console.presenters import numbers
from glific_gpt.console.presenters.labels import error_name

FIRST_WORDS = re.compile("[a-z ]+")
TITLES = {
    "arrived": lazy_gettext("The call arrived"),
    "accepted": lazy_gettext("The flow was told to wait"),
    "asked": lazy_gettext("OpenAI was asked"),
    "answered": lazy_gettext("OpenAI answered"),
    "failed": lazy_gettext("It failed"),
    "interrupted": lazy_gettext("It was interrupted"),
    "retried": lazy_gettext("Somebody had it tried again"),
    "resumed": lazy_gettext("The flow has its answer"),
    "given up": lazy_gettext("Delivery was given up"),
}
"""By the words that a happening begins with."""

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
    """One happening, as it is shown."""

    at: datetime
    after: str
    """How long after the arrival."""
    title: LazyString
    detail: str
    icon: str
    is_trouble: bool


def present_timeline(story: CallTimeline) -> list[Event]:
    """The first one first."""
    return [_event(story, happening) for happening in stories.events(story)]


def kind(happening: TimelineEvent) -> str:
    """A key of TITLES."""
    found = FIRST_WORDS.match(happening.what)
    return found[0] if found else ""


def _event(story: CallTimeline, happening: TimelineEvent) -> Event:
    what = kind(happening)
    waited = happening.at - story.call.started_at
    return Event(
        at=happening.at,
        after=numbers.format_seconds(max(0, round(waited.total_seconds() * 1000))),
        title=TITLES[what],
        detail=_detail(story, what),
        icon=ICONS.get(what, "alert-triangle"),
        is_trouble=what in FAILURE_KINDS,
    )


def _detail(story: CallTimeline, what: str) -> str:
    call = story.call
    if what == "arrived":
        return str(_("for %(model)s", model=call.model_asked)) if call.model_asked else ""
    if what == "answered":
        return _used(call)
    if what == "failed":
        return str(error_name(story.own_error or ""))
    if what == "interrupted":
        return str(_("The server was stopped before there was an answer."))
    return _of_delivery(story) if what in {"resumed", "given up"} else ""


def _used(call: Call) -> str:
    """Not every function asks a model."""
    model = call.model_used or call.model_asked or ""
    if call.input_tokens is None:
        return model
    values = {"model": model, "given": call.input_tokens, "got": call.output_tokens or 0}
    return str(_("%(model)s, %(given)s tokens in, %(got)s tokens out", **values))


def _of_delivery(story: CallTimeline) -> str:
    """What Glific said is in Glific's words."""
    delivery = story.delivery
    if delivery is None:
        return ""
    tries = ngettext("after %(num)s try", "after %(num)s tries", delivery.attempts)
    return f"{tries}: {delivery.last_response}" if delivery.last_response else str(tries)
