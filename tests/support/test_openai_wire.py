"""Late, silent, truncated and non-JSON responses of the OpenAI stand-in, as a client receives them."""

import time
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.support import http
from tests.support import openai_behaviours as behaviours
from tests.support.openai_behaviours import Behaviour
from tests.support.openai_questions import create_chat_completion
from tests.support.openai_stand_in import OpenAIStandIn


def test_a_page_an_empty_body_and_a_redirect_are_not_json(openai: OpenAIStandIn) -> None:
    openai.will(behaviours.send_html(502), behaviours.send_empty_body(), behaviours.redirect("http://127.0.0.1:9/x"))
    with http.Client() as plain:
        page, nothing, moved = (plain.post(f"{openai.base_url}/responses", json={}) for _ in range(3))
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert (moved.status_code, moved.headers["location"]) == (302, "http://127.0.0.1:9/x")


def test_it_closes_the_connection_without_a_response(openai: OpenAIStandIn) -> None:
    openai.will(behaviours.close_connection())
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        http.post(f"{openai.base_url}/responses", json={})


def test_it_closes_the_connection_in_the_middle_of_a_body(openai: OpenAIStandIn) -> None:
    openai.will(behaviours.truncate_body())
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"):
        http.post(f"{openai.base_url}/responses", json={})


@pytest.mark.parametrize(
    "silent",
    [
        behaviours.never_respond(),
        behaviours.respond_after(5),
        behaviours.answer(after=5),
        behaviours.truncate_body("hang"),
    ],
)
def test_a_silent_behaviour_exceeds_the_time_out_of_a_client(openai: OpenAIStandIn, silent: Behaviour) -> None:
    openai.will(silent)
    with pytest.raises(httpx2.ReadTimeout):
        http.post(f"{openai.base_url}/responses", json={}, timeout=0.1)


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_slow_response_takes_long_although_each_read_is_fast(openai: OpenAIStandIn, part: Any) -> None:
    openai.will(behaviours.send_slowly(0.01, part))
    before = time.monotonic()
    answer = http.post(f"{openai.base_url}/chat/completions", json={}, timeout=5)
    assert time.monotonic() - before > 0.6
    assert answer.json()["choices"][0]["message"]["content"] == "Hello, drop by drop."


def test_a_delayed_answer_arrives(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.respond_after(0.1, behaviours.answer("at last")))
    before = time.monotonic()
    assert create_chat_completion(client).choices[0].message.content == "at last"
    assert time.monotonic() - before >= 0.1
