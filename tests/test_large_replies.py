"""Replies of outside services have a size limit, in every part that a service can repeat without end."""

import gc
import gzip
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import BadUpstreamReply, UpstreamError
from glific_gpt.flows.simulator import WebhookRequest
from glific_gpt.glific.client import GlificClient
from glific_gpt.glific.resumption import ApiAccess, SignedAccess
from glific_gpt.openai import connection, http_response
from glific_gpt.openai.chat import Question, Usage
from glific_gpt.openai.connections import ConnectionPool
from glific_gpt.openai.gateway import Gateway
from glific_gpt.operations.doctor import http_get
from glific_gpt.operations.ready_flows.http_sender import HttpSender
from glific_gpt.runtime import bridge
from tests.glific.conftest import ANSWER, PHRASE
from tests.support.endless_server import ENDLESS_REPLIES, EndlessServer, run_endless_server
from tests.support.glific_stand_in import PASSWORD, PHONE
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn

DEADLINE_SECONDS = 60
"""Long, so that a reply without a limit is read for long and fails the test."""
MAX_SENT_BYTES = 30_000_000
"""More than the limits and the buffers of both sockets together."""


@pytest.fixture(params=ENDLESS_REPLIES, ids=lambda name: name.replace(" ", "-"))
def endless(request: pytest.FixtureRequest) -> Iterator[EndlessServer]:
    with run_endless_server(*ENDLESS_REPLIES[request.param]) as server:
        yield server


def ask(base_url: str) -> object:
    question = Question("What is ORS?")
    return Gateway(base_url).ask(SecretStr("sk-x"), "gpt-4o", question, Deadline.after(DEADLINE_SECONDS), Usage())


def test_an_endless_reply_of_openai_is_a_bad_reply(endless: EndlessServer) -> None:
    with pytest.raises(BadUpstreamReply):
        ask(f"http://127.0.0.1:{endless.port}/v1")
    assert endless.sent_bytes < MAX_SENT_BYTES


def test_an_endless_reply_of_glific_ends_the_attempt(endless: EndlessServer) -> None:
    client, url = GlificClient(("127.0.0.1",)), f"http://127.0.0.1:{endless.port}"
    for access in (ApiAccess(url, PHONE, SecretStr(PASSWORD)), SignedAccess(url, SecretStr(PHRASE), 1)):
        deadline = Deadline.after(DEADLINE_SECONDS)
        client.resume(access, ANSWER, deadline)
        assert deadline.remaining() > DEADLINE_SECONDS / 2
    assert endless.sent_bytes < MAX_SENT_BYTES


def test_an_endless_reply_to_the_doctor_ends_the_request(endless: EndlessServer) -> None:
    deadline = Deadline.after(DEADLINE_SECONDS)
    try:
        reply = http_get.get(f"http://127.0.0.1:{endless.port}/", deadline)
    except http_get.Unreachable:
        pass
    else:
        assert len(reply.body) < 1_000_000
    assert deadline.remaining() > DEADLINE_SECONDS / 2
    assert endless.sent_bytes < MAX_SENT_BYTES


def test_an_endless_reply_to_a_simulated_flow_ends_the_request(endless: EndlessServer) -> None:
    url = f"http://127.0.0.1:{endless.port}/"
    response = HttpSender()(WebhookRequest("POST", url, {}, b"{}", None, SecretStr("t=1,v1=0")))
    assert response.error
    assert endless.sent_bytes < MAX_SENT_BYTES


def test_a_body_up_to_the_limit_is_read() -> None:
    body = b"x" * http_response.MAX_BODY_BYTES
    for extra, is_read in ((b"", True), (b"x", False)):
        with serving_once(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body + extra) + body + extra) as pool:
            exchange = pool.request("GET", b"/v1/models", [], b"", DEADLINE_SECONDS)
            if is_read:
                assert bridge.await_(exchange).body == body
            else:
                with pytest.raises(httpx2.DecodingError):
                    bridge.await_(exchange)


@contextmanager
def serving_once(reply: bytes) -> Iterator[ConnectionPool]:
    """Yield a connection pool of a server that sends this reply to the first request."""
    with OpenAIStandIn() as stand_in:
        stand_in.for_models(lambda exchange: exchange.write(reply))
        stand_in.always(lambda exchange: exchange.write(reply))
        yield ConnectionPool(stand_in.base_url.removesuffix("/v1"))


@pytest.mark.parametrize("coding", ["gzip", "zlib_codec"])
@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_a_compressed_reply_is_never_decompressed(
    openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch, status: int, coding: str
) -> None:
    """Neither by its content-encoding nor by a charset that Python knows as a compression."""
    bomb = gzip.compress(bytes(50_000_000))

    def send_bomb(exchange: Exchange) -> None:
        is_gzip = coding == "gzip"
        headers = {"content_encoding": "gzip"} if is_gzip else {"content_type": f"text/plain; charset={coding}"}
        exchange.send(status, bomb, **headers)

    monkeypatch.setattr("glific_gpt.openai.retries.MAX_ATTEMPTS", 1)
    monkeypatch.setattr("glific_gpt.openai.retries.MAX_DEFERRED_ATTEMPTS", 1)
    openai.always(send_bomb)
    used_before = peak_kilobytes()
    with pytest.raises((BadUpstreamReply, UpstreamError)):
        ask(openai.base_url)
    assert peak_kilobytes() - used_before < 25_000


def peak_kilobytes() -> int:
    """Return the peak of this process's memory."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("reply", [b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"])
def test_a_reply_is_freed_without_the_garbage_collector(monkeypatch: pytest.MonkeyPatch, reply: bytes) -> None:
    """A complete reply, and one that times out."""
    responses: list[weakref.ref[http_response.HttpResponse]] = []

    class Watched(http_response.HttpResponse):
        def __init__(self) -> None:
            super().__init__()
            responses.append(weakref.ref(self))

    monkeypatch.setattr(connection, "HttpResponse", Watched)
    gc.disable()
    try:
        with serving_once(b"HTTP/1.1 200 OK\r\n" + reply) as pool:
            try:
                bridge.await_(pool.request("GET", b"/v1/models", [], b"", 0.5))
            except httpx2.ReadTimeout:
                assert b"chunked" in reply
            assert [response() for response in responses] == [None]
    finally:
        gc.enable()


def test_a_second_reply_to_one_request_is_ignored() -> None:
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with serving_once(one + one) as pool:
        response = bridge.await_(pool.request("GET", b"/v1/models", [], b"", DEADLINE_SECONDS))
        assert (bytes(response.body), response.keep_alive) == (b"{}", False)


def test_a_trailer_is_no_header() -> None:
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nRetry-After: 9\r\n\r\n"
    with serving_once(reply) as pool:
        response = bridge.await_(pool.request("GET", b"/v1/models", [], b"", DEADLINE_SECONDS))
        assert response.headers == [(b"Transfer-Encoding", b"chunked")]
