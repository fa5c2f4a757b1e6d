"""HTTP clients: deadlines, allowed addresses, and no cookies."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import pytest

from glific_gpt.clock import Deadline
from glific_gpt.network.http_client import AddressRefused, DeadlineTransport, ThreadClient, deadline_scope, tls_context
from tests.support.endless_server import ENDLESS_REPLIES, run_endless_server
from tests.support.network_faults import FaultyProxy, dropping_listener
from tests.support.openai_behaviours import send_slowly
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import requires_linux

TLS = tls_context()

OpenClient = Callable[..., ThreadClient]


@pytest.fixture
def open_client() -> Iterator[OpenClient]:
    """Create clients for which the host far.example resolves to the given addresses, in this order."""
    with ExitStack() as stack:

        def create_client(*addresses: str, allows: Any = None) -> ThreadClient:
            transport = DeadlineTransport(TLS, allows, lambda host, _: [*addresses] if addresses else [host])
            return stack.enter_context(ThreadClient(transport))

        yield create_client


def port_of(openai: OpenAIStandIn) -> int:
    return urlsplit(openai.base_url).port or 0


def get(client: ThreadClient, port: int, seconds: float = 5.0, host: str = "far.example") -> int:
    with deadline_scope(Deadline.after(seconds)):
        return client.get(f"http://{host}:{port}/v1/models", timeout=None).status_code


@pytest.mark.parametrize("part", ["head", "body"])
def test_it_ends_at_the_deadline_even_if_bytes_keep_arriving(
    open_client: OpenClient, openai: OpenAIStandIn, part: Literal["head", "body"]
) -> None:
    openai.for_models(send_slowly(0.2, part=part))
    start = time.monotonic()

    with pytest.raises(httpx2.ReadTimeout):
        get(open_client(), port_of(openai), 0.7, host="127.0.0.1")

    assert time.monotonic() - start < 5  # the whole response takes ten seconds or more


def test_it_sends_nothing_after_the_deadline(open_client: OpenClient, openai: OpenAIStandIn) -> None:
    client = open_client("127.0.0.1")
    assert get(client, port_of(openai)) == 200

    with pytest.raises(httpx2.WriteTimeout):
        get(client, port_of(openai), 0)
    with pytest.raises(httpx2.ConnectTimeout):
        get(open_client("127.0.0.1"), port_of(openai), 0)

    assert len(openai.requests) == 1


@requires_linux
def test_it_ends_at_the_deadline_even_if_a_host_has_many_addresses(open_client: OpenClient) -> None:
    with ExitStack() as stack:
        hosts = [f"127.0.0.{number}" for number in range(2, 12)]
        port = 0
        for host in hosts:
            port = stack.enter_context(dropping_listener(host, port)).getsockname()[1]
        start = time.monotonic()

        with pytest.raises(httpx2.ConnectTimeout):
            get(open_client(*hosts), port, 1.2)

        assert 1.1 < time.monotonic() - start < 5  # all addresses together take ten seconds


@requires_linux
def test_it_tries_the_next_address_of_a_host(open_client: OpenClient, openai: OpenAIStandIn) -> None:
    with dropping_listener("127.0.0.2", port_of(openai)):
        assert get(open_client("127.0.0.2", "127.0.0.1"), port_of(openai), 2.5) == 200


@requires_linux
def test_it_waits_for_the_last_address_until_the_deadline(open_client: OpenClient, openai: OpenAIStandIn) -> None:
    with FaultyProxy("127.0.0.1", port_of(openai)) as proxy:
        proxy.drop_packets()
        # A lost first packet is sent again after a second (RFC 6298).
        threading.Timer(0.5, proxy.restore).start()
        assert get(open_client("127.0.0.1"), proxy.port, 3) == 200


def test_it_checks_every_address_and_connects_only_to_allowed_ones(
    open_client: OpenClient, openai: OpenAIStandIn
) -> None:
    checked = []

    def allows(host: str, address: str) -> bool:
        checked.append((host, address))
        return address == "127.0.0.1"

    assert get(open_client("192.0.2.1", "127.0.0.1", allows=allows), port_of(openai)) == 200
    assert checked == [("far.example", "192.0.2.1"), ("far.example", "127.0.0.1")]


def test_it_does_not_connect_if_no_address_is_allowed(open_client: OpenClient, openai: OpenAIStandIn) -> None:
    client = open_client("127.0.0.1", "127.0.0.2", allows=lambda _host, _address: False)

    with pytest.raises(httpx2.ConnectError) as caught:
        get(client, port_of(openai))

    assert isinstance(caught.value.__cause__, AddressRefused)
    assert openai.requests == []


def test_it_resolves_a_name_once_for_the_check_and_the_connection(openai: OpenAIStandIn) -> None:
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    transport = DeadlineTransport(TLS, lambda _host, address: address == "127.0.0.1", lambda *_: answers.pop(0))
    with ThreadClient(transport) as client:
        assert get(client, port_of(openai)) == 200
    assert answers == [["127.0.0.2"]]


def test_an_unknown_or_invalid_name_is_a_connect_error() -> None:
    with ThreadClient(DeadlineTransport(TLS)) as client:
        for host in ("nowhere.invalid", f"{'x' * 64}.example"):
            with pytest.raises(httpx2.ConnectError):
                get(client, 80, host=host)


def test_it_stores_no_cookies(open_client: OpenClient, openai: OpenAIStandIn) -> None:
    def set_cookie(exchange: Exchange) -> None:
        exchange.send_json(200, {}, set_cookie="session=of-alice; Path=/")

    openai.for_models(set_cookie)
    client = open_client("127.0.0.1")
    for _ in range(2):
        assert get(client, port_of(openai)) == 200
    assert "cookie" not in openai.requests[-1].headers


def test_it_ignores_proxies_in_the_environment(
    open_client: OpenClient, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert get(open_client("127.0.0.1"), port_of(openai)) == 200


def test_connections_are_closed_when_their_thread_ends(openai: OpenAIStandIn) -> None:
    local = threading.local()
    streams = []

    def work() -> None:
        local.client = ThreadClient(DeadlineTransport(TLS))
        with deadline_scope(Deadline.after(5)), local.client.stream("GET", f"{openai.base_url}/models") as reply:
            streams.append(reply.extensions["network_stream"])
            reply.read()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert streams[0].get_extra_info("socket").fileno() == -1


def test_endless_interim_responses_end_early_although_the_body_may_be_large() -> None:
    transport = DeadlineTransport(TLS, max_received_bytes=100_000_000)
    with (
        run_endless_server(*ENDLESS_REPLIES["interim responses"]) as server,
        ThreadClient(transport) as client,
        pytest.raises(httpx2.RemoteProtocolError, match="too large"),
    ):
        get(client, server.port, 3, host="127.0.0.1")
