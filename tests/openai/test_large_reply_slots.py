"""Slots for calls with a large reply."""

import contextvars
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.openai import large_reply_slots
from glific_gpt.openai.chat import Question
from glific_gpt.openai.gateway import Gateway
from tests.support.deferred import wait_until
from tests.support.openai_behaviours import answer, send_exactly
from tests.support.openai_stand_in import OpenAIStandIn

KEY = SecretStr("sk-proj-tenant-0123456789")
SHORT = json.dumps({"choices": [{"message": {"content": "Drink ORS."}}]}).encode()
COMPRESSED = send_exactly(200, [("content-encoding", "gzip")], gzip.compress(SHORT))
LARGE = answer("x" * large_reply_slots.LARGE_BYTES)


def ask(gateway: Gateway, seconds: float = 20.0) -> str:
    return gateway.bind(KEY, "gpt-4o", Deadline.after(seconds)).ask(Question("What is ORS?")).text


def ask_and_hold(gateway: Gateway, answered: Event, ended: Event) -> None:
    with large_reply_slots.hold_until_end():
        assert ask(gateway)
        answered.set()
        ended.wait()


@contextmanager
def ending(event: Event) -> Iterator[None]:
    """Set the event at the end, also after a failure, so that no thread waits for it."""
    try:
        yield
    finally:
        event.set()


@pytest.mark.parametrize("behaviour", [LARGE, COMPRESSED])
def test_a_call_with_a_large_reply_keeps_its_slot_until_it_ends(
    openai: OpenAIStandIn, behaviour: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_reply_slots, "SLOTS_PER_ORGANIZATION", 1)
    monkeypatch.setattr(large_reply_slots, "_slots", type(large_reply_slots._slots)())
    gateway, answered, ended = Gateway(openai.base_url), Event(), Event()
    openai.always(behaviour)  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool, ending(ended):
        first = pool.submit(contextvars.copy_context().run, ask_and_hold, gateway, answered, ended)
        wait_until(answered.is_set)
        with large_reply_slots.hold_until_end(), pytest.raises(DeadlineExceeded):
            ask(gateway, seconds=1.0)
        openai.always(send_exactly(200, [], SHORT))
        with large_reply_slots.hold_until_end():
            assert ask(gateway) == "Drink ORS."  # a small reply needs no slot
        openai.always(behaviour)  # type: ignore[arg-type]
        second = pool.submit(contextvars.copy_context().run, ask_and_hold, gateway, Event(), ended)
        ended.set()
        assert first.result() is second.result() is None


def test_a_large_reply_that_is_no_part_of_a_call_frees_its_slot(
    openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_reply_slots, "SLOTS_PER_ORGANIZATION", 1)
    monkeypatch.setattr(large_reply_slots, "_slots", type(large_reply_slots._slots)())
    gateway = Gateway(openai.base_url)
    openai.always(LARGE)
    for _ in range(2):
        assert ask(gateway)
