"""Connections to OpenAI: whose headers travel, and how long they may take."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded
from glific_gpt.llm.chat import Question
from glific_gpt.llm.gateway import Gateway
from tests.support.openai_behaviours import drip
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.silence import Proxy, only_on_linux, swallowing

KEY = SecretStr("sk-proj-tenant-0123456789")


@pytest.fixture
def gateway(openai: OpenAIStandIn) -> Iterator[Gateway]:
    made = Gateway(openai.base_url)
    yield made
    made.close()


Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Gives the host openai.example these addresses, in this order."""
    ask = socket.getaddrinfo

    def mean(*addresses: str) -> None:
        def answer(host: str, *args: Any, **more: Any) -> list[Any]:
            hosts = addresses if host == "openai.example" else (host,)
            return [found for each in hosts for found in ask(each, *args, **more)]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    return mean


def test_it_sends_the_organizations_key_and_nothing_of_the_operators_environment(
    request: pytest.FixtureRequest, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-operator")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-operator")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer sk-operator")

    gateway: Gateway = request.getfixturevalue("gateway")
    gateway.bind(KEY, "gpt-4o", Deadline.after(5)).ask(Question("What is ORS?"))

    headers = openai.requests[-1].headers
    assert headers["authorization"] == f"Bearer {KEY.get_secret_value()}"
    assert not {"openai-organization", "openai-project"} & headers.keys()


@pytest.mark.parametrize("part", ["head", "body"])
def test_it_ends_at_the_deadline_although_every_read_brings_a_byte(
    gateway: Gateway, openai: OpenAIStandIn, part: Literal["head", "body"]
) -> None:
    openai.always(drip(0.2, part=part))
    start = time.monotonic()

    with pytest.raises(DeadlineExceeded):
        gateway.bind(KEY, "gpt-4o", Deadline.after(0.7)).ask(Question("What is ORS?"))

    assert time.monotonic() - start < 1.0


@only_on_linux
def test_it_ends_at_the_deadline_although_a_host_has_many_addresses(resolve: Resolve) -> None:
    with ExitStack() as stack:
        hosts = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
        port = 0
        for host in hosts:
            port = stack.enter_context(swallowing(host, port)).getsockname()[1]
        resolve(*hosts)
        start = time.monotonic()

        with pytest.raises(DeadlineExceeded):
            Gateway(f"http://openai.example:{port}/v1").bind(KEY, "gpt-4o", Deadline.after(1.2)).ask(Question("Hi"))

        assert 1.1 < time.monotonic() - start < 1.6


@only_on_linux
def test_it_goes_on_to_the_next_address_of_a_host(resolve: Resolve, openai: OpenAIStandIn) -> None:
    port = urlsplit(openai.base_url).port or 0
    with swallowing("127.0.0.2", port):
        resolve("127.0.0.2", "127.0.0.1")
        gateway = Gateway(f"http://openai.example:{port}/v1")
        assert gateway.bind(KEY, "gpt-4o", Deadline.after(2.5)).ask(Question("Hi")).text
        gateway.close()


@only_on_linux
def test_it_waits_for_the_last_address_as_long_as_there_is_time(openai: OpenAIStandIn) -> None:
    with Proxy("127.0.0.1", urlsplit(openai.base_url).port or 0) as proxy:
        proxy.fall_silent()
        gateway = Gateway(f"http://127.0.0.1:{proxy.port}/v1")
        # A connection whose first packet was lost is there after a second, when it is sent again (RFC 6298).
        threading.Timer(0.5, proxy.come_back).start()
        assert gateway.bind(KEY, "gpt-4o", Deadline.after(3)).ask(Question("Hi")).text
        gateway.close()
