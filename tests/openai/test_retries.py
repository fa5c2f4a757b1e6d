"""OpenAI is asked again only for what passes by itself, and only inside the deadline."""

import httpx2
import openai
import pytest

from glific_gpt.clock import Deadline
from glific_gpt.openai.failures import Refusal
from glific_gpt.openai.gateway import MAX_PATIENT_TRIES, MAX_TRIES, SHORTEST_ANSWER_SECONDS, pause


def refusal(status: int, retry_after: str | None = None, code: str = "") -> Refusal:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    response = httpx2.Response(status, headers=headers, request=httpx2.Request("POST", "http://127.0.0.1/"))
    return Refusal(openai.APIStatusError("x", response=response, body={"code": code}))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520, 529])
def test_what_passes_is_tried_again_after_a_little_while(status: int) -> None:
    waits = [pause(tries, refusal(status), Deadline.after(10)) for tries in (1, 2)]
    assert all(wait is not None and 0.1 < wait <= 0.5 for wait in waits)
    assert pause(MAX_TRIES, refusal(status), Deadline.after(10)) is None


def test_there_are_more_tries_where_nobody_is_waiting_at_the_other_end() -> None:
    waits = [pause(tries, refusal(429), Deadline.after(110)) for tries in range(1, MAX_PATIENT_TRIES)]
    assert all(wait is not None for wait in waits)
    assert 15 <= sum(filter(None, waits)) <= 32
    assert pause(MAX_PATIENT_TRIES, refusal(429), Deadline.after(110)) is None


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 413, 422])
def test_what_does_not_pass_is_not_tried_again(status: int) -> None:
    assert pause(1, refusal(status), Deadline.after(10)) is None


def test_an_account_without_credit_is_not_asked_again() -> None:
    assert pause(1, refusal(429, code="insufficient_quota"), Deadline.after(10)) is None


def test_silence_is_tried_again() -> None:
    assert pause(1, None, Deadline.after(10)) is not None


@pytest.mark.parametrize(("asked", "wait"), [("2", 2.0), ("0", 0.0), ("2.5", 2.5), ("-3", 0.0)])
def test_openai_says_how_long_to_wait(asked: str, wait: float) -> None:
    assert pause(1, refusal(429, asked), Deadline.after(10)) == wait


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2015 07:28:00 GMT", "nonsense", "nan", "inf", ""])
def test_a_time_that_is_past_or_none_does_not_make_it_wait_long(asked: str) -> None:
    wait = pause(1, refusal(429, asked), Deadline.after(10))
    assert wait is not None
    assert wait < 1


def test_it_does_not_wait_for_what_comes_too_late() -> None:
    assert pause(1, refusal(429, "4"), Deadline.after(4 + SHORTEST_ANSWER_SECONDS / 2)) is None
    assert pause(1, refusal(503), Deadline.after(SHORTEST_ANSWER_SECONDS)) is None
    assert pause(1, None, Deadline.after(0)) is None
