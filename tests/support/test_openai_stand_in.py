"""The OpenAI stand-in records requests, follows behaviours, and controls its connections."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import httpx2
import openai as library
import pytest
from openai import OpenAI

from tests.support import openai_behaviours as behaviours
from tests.support.openai_questions import KEY, create_chat_completion
from tests.support.openai_stand_in import OpenAIStandIn


def test_it_lists_its_models_or_follows_a_behaviour(openai: OpenAIStandIn, client: OpenAI) -> None:
    assert "gpt-4o-mini" in {model.id for model in client.models.list()}
    openai.models = ["o9"]
    assert [model.id for model in client.models.list()] == ["o9"]
    openai.for_models(behaviours.refuse_key())
    with pytest.raises(library.AuthenticationError):
        client.models.list()


def test_it_records_requests(openai: OpenAIStandIn, client: OpenAI) -> None:
    before = time.monotonic()
    create_chat_completion(client, temperature=0)
    (received,) = openai.requests
    assert (received.method, received.path, received.api_key) == ("POST", "/v1/chat/completions", KEY)
    assert received.headers["content-type"] == "application/json"
    assert (received.model, received.question, received.body["temperature"]) == ("gpt-4o", "What is ORS?", 0)
    assert before <= received.at <= time.monotonic()


def test_queued_behaviours_are_used_in_order_and_then_the_default(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.always(behaviours.answer("always"))
    openai.will(behaviours.answer("one"), behaviours.answer("two"))
    assert [create_chat_completion(client).choices[0].message.content for _ in range(4)] == [
        "one",
        "two",
        "always",
        "always",
    ]


def test_a_key_with_its_own_behaviour_does_not_use_the_queue(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.for_key(KEY, behaviours.out_of_credit())
    openai.will(behaviours.answer("for the others"))
    with pytest.raises(library.RateLimitError) as caught:
        create_chat_completion(client)
    assert caught.value.code == caught.value.type == "insufficient_quota"
    assert create_chat_completion(client.with_options(api_key="sk-bob")).choices[0].message.content == "for the others"


def test_a_reset_clears_requests_and_behaviours(openai: OpenAIStandIn, client: OpenAI) -> None:
    openai.will(behaviours.close_connection())
    openai.always(behaviours.server_error())
    openai.for_key(KEY, behaviours.refuse_key())
    with pytest.raises(library.AuthenticationError):
        create_chat_completion(client)
    openai.reset()
    assert openai.requests == []
    assert create_chat_completion(client).choices[0].message.content == "Hello from the stand-in."


@pytest.mark.parametrize("end", [OpenAIStandIn.reset, OpenAIStandIn.close])
def test_a_reset_or_a_close_ends_waiting_requests(openai: OpenAIStandIn, end: Callable[[OpenAIStandIn], None]) -> None:
    openai.always(behaviours.never_respond())
    with connected(openai) as wire:
        wire.sendall(b"POST /v1/responses HTTP/1.1\r\nHost: x\r\n\r\n")
        while not openai.requests:
            time.sleep(0.005)
        end(openai)
        assert wire.recv(1) == b""


def test_closing_it_ends_idle_connections_and_refuses_new_ones(openai: OpenAIStandIn) -> None:
    with connected(openai) as wire:
        wire.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.recv(12) == b"HTTP/1.1 200"
        openai.close()
        while wire.recv(65536):
            pass
    with pytest.raises(ConnectionRefusedError):
        connected(openai)


def connected(openai: OpenAIStandIn) -> socket.socket:
    address = urlsplit(openai.base_url)
    return socket.create_connection((cast("str", address.hostname), cast("int", address.port)), timeout=2)


def test_it_keeps_a_connection_alive(openai: OpenAIStandIn) -> None:
    with connected(openai) as wire:
        for _ in range(2):
            wire.sendall(b"GET /v1/nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"Invalid URL (GET /v1/nowhere)" in wire.recv(65536)


async def call_concurrently(base_url: str, calls: int) -> list[int]:
    async with httpx2.AsyncClient(limits=httpx2.Limits(max_connections=calls), timeout=10) as plain:
        answers = await asyncio.gather(
            *(plain.post(f"{base_url}/responses", json={"model": "o3"}) for _ in range(calls))
        )
    return [answer.status_code for answer in answers]


def test_it_holds_hundreds_of_concurrent_calls(openai: OpenAIStandIn) -> None:
    openai.always(behaviours.respond_after(1))
    before = time.monotonic()
    assert asyncio.run(call_concurrently(openai.base_url, 300)) == [200] * 300
    assert time.monotonic() - before < 100  # one after the other, they would take 300 seconds
