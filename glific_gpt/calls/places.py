"""Letting a call in: the time that it has, and one of the places for calls that are held at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from glific_gpt.clock import Deadline
from glific_gpt.errors import Overloaded
from glific_gpt.settings import Settings

SHARE_OF_OPENAI = 0.98
"""What of a call's time OpenAI may use up; the rest is for the row and the answer."""


def deadline(settings: Settings) -> Deadline:
    """Of a call that comes in at this moment."""
    return Deadline.after(settings.deadline_seconds * SHARE_OF_OPENAI)


@contextmanager
def place(places: BoundedSemaphore) -> Iterator[None]:
    """One of the places for calls. Raises Overloaded when all are taken."""
    if not places.acquire(blocking=False):
        raise Overloaded(retry_after=1)
    try:
        yield
    finally:
        places.release()
