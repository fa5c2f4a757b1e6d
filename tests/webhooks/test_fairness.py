"""Many calls of one organization neither refuse nor delay the calls of another."""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from glific_gpt.glific.signature import sign
from glific_gpt.runtime import bridge
from tests.conftest import StartServer
from tests.support import http
from tests.support.deferred import wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.both_databases


@contextmanager
def slow_calls(
    organization: TestOrganization, openai: OpenAIStandIn, count: int, mode: str = "sync"
) -> Iterator[list[httpx2.Response]]:
    """Send calls to a model that does not answer, until each is held or answered. Yields the replies."""
    replies: list[httpx2.Response] = []
    openai.for_key(organization.key, never_respond())
    with ThreadPoolExecutor(count) as pool:
        for _ in range(count):
            pool.submit(lambda: replies.append(organization.ask_deferred(mode)))
        try:
            wait_until(lambda: len(replies) + len(openai.requests) == count)
            yield replies.copy()
        finally:
            openai.reset()


@pytest.mark.parametrize("mode", ["sync", "auto"])
def test_slow_calls_of_one_organization_leave_slots_for_another(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, mode: str
) -> None:
    server = start_server(max_in_flight=8, deadline_seconds=60)
    alice, bob = server.add_organization("alice"), server.add_organization("bob")
    alice.connect(glific)
    with slow_calls(alice, openai, 12, mode) as refused:
        assert Counter(map(get_code, refused)) == {"overloaded": 8}
        error = require_error(refused[0], "overloaded")["error"]
        assert error == (
            "This organization has reached its limit of calls at the same time (4 at present). "
            "Send fewer calls at the same time, or try again in a moment."
        )
        for reply in call_concurrently(2, lambda _: bob.ask()):
            require_ok(reply)
    require_ok(alice.ask())


def test_the_limits_of_deferred_calls_hold_for_auto_calls_that_arrive_together(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(deadline_seconds=60, max_deferred_calls=8, max_deferred_calls_per_organization=4)
    alice, bob = server.add_organization("alice"), server.add_organization("bob")
    for organization in (alice, bob):
        organization.connect(glific)
    with slow_calls(alice, openai, 12, "auto") as pending:
        assert Counter(map(get_code, pending)) == {"pending": 8}
        assert len(openai.requests) == 4
        require_ok(bob.ask_deferred("auto"))


@pytest.mark.journey
def test_a_call_is_answered_before_most_calls_that_another_organization_sent_earlier(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    with run_server_processes(
        tmp_path / "log",
        is_forked=True,
        database_url=database_url,
        openai_base_url=openai.base_url,
        glific_hosts="127.0.0.1",
        worker="separate",
    ) as server:
        alice, bob = server.add_organization("alice"), server.add_organization("bob")
        alice.connect(glific)
        require_ok(bob.ask())
        flood = [request_of(alice, "?mode=async", flow_id=5, contact_id=100 + number) for number in range(FLOOD)]
        assert count_answered_before(server, bob, flood) < FLOOD / 2


# On SQLite, calls of strangers never wait, because the event loop reads the file itself.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.journey
def test_strangers_who_use_many_names_do_not_delay_an_organization(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url
    ) as server:
        bob = server.add_organization("bob")
        require_ok(bob.ask())
        heads = [f"POST /webhooks/name-{number}/parse_via_chat_gpt HTTP/1.1" for number in range(STRANGERS)]
        requests = [f"{head}\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}" for head in heads]
        limit = 0.9 * STRANGERS
        assert count_answered_before(server, bob, requests) < limit


# On SQLite, calls of strangers never wait, because the event loop reads the file itself.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.journey
def test_forged_signatures_from_the_address_of_glific_do_not_delay_an_organization(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url
    ) as server:
        bob = server.add_organization("bob")
        bob.set_phrase("Only Glific knows this phrase.")
        require_ok(http.post(bob.url, **signed_call("Only Glific knows this phrase."), timeout=TIMEOUT_SECONDS))
        forged = [to_request(bob, signed_call("a guess", number)) for number in range(STRANGERS)]
        mine = to_request(bob, signed_call("Only Glific knows this phrase.", STRANGERS))
        events = [line["event"] for line in answered_calls(server, [*forged, mine])]
        assert events.index("call_finished") < 0.9 * STRANGERS


FLOOD = 500
"""Calls that arrive together. A few dozens would be answered before another organization's call in any case."""
STRANGERS = 1500
"""More than FLOOD, because the call of a stranger ends sooner."""


def request_of(organization: TestOrganization, query: str, **body: object) -> str:
    """Return a call of the organization as it is sent over a connection."""
    content = json.dumps({"question_text": "What is ORS?", **body})
    head = f"POST {urlsplit(organization.url).path}{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}"
    return f"{head}\r\nAuthorization: Bearer {organization.token}\r\n\r\n{content}"


def signed_call(phrase: str, number: int = 0) -> dict[str, Any]:
    """Return body and headers of a call as Glific sends it, without a token."""
    content = json.dumps({"question_text": f"What is {number}?"}).encode()
    return {"content": content, "headers": {"X-Glific-Signature": sign(phrase, content, int(time.time()))}}


def to_request(organization: TestOrganization, call: dict[str, Any]) -> str:
    """Return the call as it is sent over a connection."""
    content = call["content"].decode()
    head = f"POST {urlsplit(organization.url).path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}"
    fields = "".join(f"\r\n{name}: {value}" for name, value in call["headers"].items())
    return f"{head}{fields}\r\n\r\n{content}"


def count_answered_before(server: ServerProcesses, organization: TestOrganization, others: list[str]) -> int:
    """Return how many of the others' calls, which are sent first, are answered before a call of the organization.

    The server is stopped until all calls are sent, because on a busy machine the client can be slower. The order is
    that of the log, for the same reason.
    """
    lines = answered_calls(server, [*others, request_of(organization, "")])
    return [line["organization"] for line in lines].index(organization.slug)


def answered_calls(server: ServerProcesses, requests: list[str]) -> list[dict[str, Any]]:
    """Send the requests together, and return the log's line of each answer or refusal, in order."""
    earlier = len(logged_calls(server))
    with ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        connections = [stack.enter_context(socket.create_connection(address, TIMEOUT_SECONDS)) for _ in requests]
        http.get(f"{server.url}/livez", timeout=TIMEOUT_SECONDS)  # the earlier connections are accepted then
        server.program.send(SIGSTOP)
        for connection, request in zip(connections, requests, strict=True):
            connection.sendall(request.encode())
        server.program.send(SIGCONT)
        wait_until(lambda: len(logged_calls(server)) - earlier >= len(requests))
    return logged_calls(server)[earlier:]


def logged_calls(server: ServerProcesses) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.program.errors.splitlines()]
    return [line for line in lines if line["event"] in {"call_finished", "call_refused"}]


@pytest.mark.journey
def test_slow_calls_leave_slots_in_each_process(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> None:
    with run_server_processes(
        tmp_path / "log",
        is_forked=True,
        database_url=database_url,
        openai_base_url=openai.base_url,
        processes=2,
        max_in_flight=6,
        deadline_seconds=60,
    ) as server:
        alice, bob = server.add_organization("alice"), server.add_organization("bob")
        with slow_calls(alice, openai, 24):
            assert Counter(get_code(bob.ask()) for _ in range(16)) == {"ok": 16}


def test_a_call_that_cannot_begin_in_time_is_refused_without_any_work(
    start_server: StartServer, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = start_server().add_organization("alice")
    monkeypatch.setattr(bridge, "START_TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(bridge._limit.slots, "free", 0)
    assert require_error(alice.ask(), "overloaded")["error_class"] == "service"
    monkeypatch.undo()
    require_ok(alice.ask())
    assert (len(alice.calls()), len(openai.requests)) == (1, 1)
