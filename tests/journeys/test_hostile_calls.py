"""Hostile calls: whatever one organization sends, the event loop of the shipped server is never blocked.

The server's own watchdog decides, because the times of answers depend on the machine.
"""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx2
import pytest

from glific_gpt.database import transaction
from glific_gpt.organizations import store as organizations
from glific_gpt.runtime import file_descriptors
from glific_gpt.server.request_threads import PAGE_THREADS
from tests.support import databases, http
from tests.support.deferred import wait_until
from tests.support.openai_behaviours import answer, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

CALLS = 4


def json_body(**fields: Any) -> bytes:
    return json.dumps({"question_text": "What is ORS?"} | fields, ensure_ascii=False).encode()


def nest(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


@pytest.fixture(scope="module")
def served(
    sqlite_template: Path, stand_in: OpenAIStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcesses]:
    """One server for all tests of this file. The end of the file checks its log once more."""
    folder = tmp_path_factory.mktemp("hostile")
    settings: dict[str, Any] = {
        "database_url": databases.copy_template(sqlite_template, folder),
        "deadline_seconds": 60,
    }
    with run_server_processes(folder / "log", is_forked=True, openai_base_url=stand_in.base_url, **settings) as server:
        yield server


@pytest.fixture(scope="module")
def alice(served: ServerProcesses) -> TestOrganization:
    return served.add_organization("alice")


@pytest.fixture(scope="module")
def bob(served: ServerProcesses) -> TestOrganization:
    return served.add_organization("bob")


@pytest.fixture
def openai(stand_in: OpenAIStandIn) -> OpenAIStandIn:
    stand_in.reset()
    return stand_in


@pytest.fixture(autouse=True)
def watch(served: ServerProcesses, bob: TestOrganization, openai: OpenAIStandIn) -> Iterator[None]:
    """Fail a test that blocks the loop, or after which the other organization gets no answer."""
    before = served.program.errors.count("event_loop_blocked")
    yield
    assert require_ok(bob.ask())
    assert served.program.errors.count("event_loop_blocked") == before, served.program.errors[-5000:]


def attack(organization: TestOrganization, **arguments: Any) -> list[httpx2.Response]:
    """Send the same call several times at the same time."""
    return call_concurrently(CALLS, lambda _: organization.post(**arguments))


def test_a_list_of_hostile_patterns_that_was_stored_before_the_limits_does_not_block_the_loop(
    alice: TestOrganization,
) -> None:
    with alice.server.app.app_context(), transaction() as session:
        patterns = [f"*{number}" + "*a" * 97 for number in range(1000)]
        organizations.find(session, alice.slug).allowed_models = patterns
    for reply in attack(alice, body={"question_text": "What is ORS?", "gpt_model": "a" * 200}):
        require_error(reply, "model_not_allowed")
    alice.change(allowed_models=None)


MEBIBYTE = 1024 * 1024
BODIES = {
    "many keys": json_body(results={f"k{number}": 1 for number in range(80_000)}),
    "empty lists": json_body(results=[[]] * 250_000),
    "deep lists": json_body(results=nest([0] * 1000, 180)),
    "a deep schema of many texts": json_body(
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": nest(["@"] * 190_000, 180)}}
    ),
    "long integers": json_body(max_tokens=1, results=[10**4000] * 250),
    "a long fraction": b'{"question_text": "x", "results": 0.' + b"1" * (MEBIBYTE - 100) + b"}",
    "a long exponent": b'{"question_text": "x", "results": 1' + b"0" * (MEBIBYTE - 100) + b"e-1000000}",
    "variables": json_body(question_text="@contact " * 110_000),
    "marks of variables": json_body(question_text="@c" * 500_000),
    "spaces": json_body(question_text=" " * (MEBIBYTE - 100)),
    "escapes": b'{"question_text": "' + b"\\u0e01" * 170_000 + b'"}',
    "combining marks": json_body(question_text="\u0301" * 170_000),
    "repeated keys": b"{" + b'"question_text": "x",' * 45_000 + b'"prompt": "x"}',
    "not JSON": b"[" * (MEBIBYTE - 1),
    "not UTF-8": b"\xff" * (MEBIBYTE - 1),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_a_mebibyte_does_not_block_the_loop(
    alice: TestOrganization, openai: OpenAIStandIn, name: str
) -> None:
    assert len(BODIES[name]) <= MEBIBYTE
    openai.for_key(alice.key, answer('{"salt": 1}'))
    for reply in attack(alice, content=BODIES[name]):
        assert reply.json()["call_id"]
        assert reply.status_code < 500


ANSWERS = {
    **{
        f"Markdown {unit!r}": unit * (16_384 // len(unit))
        for unit in (
            "![",
            "[",
            "[a](",
            "[![](",
            "*_",
            "*a **b",
            "`",
            "_*_`",
            "> ",
            "- ",
            "- a\n",
            "1. ",
            "#",
            "<a",
            "&",
        )
    },
    "brackets": "[" * 4000 + "]" * 4000,
    "a wide table": "|" + "a|" * 500 + "\n|" + "-|" * 500 + "\n" + "|b|\n" * 1500,
    "backticks": " ".join("`" * number for number in range(1, 125)),
    "emphasis": "*a " * 1300 + "b* " * 1300,
    "links by reference": "[a]: b\n" * 500 + "[a][a]" * 700,
    "invisible characters": "\u200b" * 400_000 + "Salt.",
    "a long text": "**Salt** and sugar. " * 20_000,
    "JSON of many keys": json.dumps({f"k{number}": "@contact" for number in range(60_000)}),
    "JSON of many texts": json.dumps(["<%= @contact.name %>"] * 40_000),
    "JSON of marked texts": json.dumps(["**a**\n\n*b*\n\n~c"] * 990),
    "JSON of stars": json.dumps(["*"] * 60_000),
    "deep JSON": json.dumps(nest(["@"] * 50_000, 180)),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_does_not_block_the_loop(alice: TestOrganization, openai: OpenAIStandIn, name: str) -> None:
    openai.for_key(alice.key, answer(ANSWERS[name]))
    options = {"response_format": {"type": "json_object"}} if "JSON" in name else {}
    for reply in attack(alice, body={"question_text": "What is ORS?", **options}):
        assert reply.json()["parsed_msg"]
        assert reply.status_code == 200


@pytest.mark.parametrize("query", ["&a" * 15_000, "a=%41&" * 5_000, "%6d" * 10_000, "mode=" + "%61" * 10_000])
def test_a_long_query_does_not_block_the_loop(alice: TestOrganization, query: str) -> None:
    for reply in attack(alice, body={"question_text": "What is ORS?"}, query=f"?{query}"):
        assert reply.json()["call_id"]


def test_a_long_path_does_not_block_the_loop(alice: TestOrganization) -> None:
    for path in ("/" * 30_000, "/webhooks" * 4_000, "/webhooks/" + "%61" * 10_000 + "/parse_via_chat_gpt"):
        assert http.post(f"{alice.server.url}{path}", json={}).status_code in {401, 404, 405}


def test_an_error_reply_does_not_block_the_loop(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    error = {"message": "x" * 100_000, "details": [[]] * 200_000}
    openai.for_key(alice.key, lambda exchange: exchange.send_json(400, {"error": error}))
    for reply in attack(alice, body={"question_text": "What is ORS?"}):
        require_error(reply, "bad_upstream_reply")


def test_a_stored_answer_does_not_block_the_loop(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.for_key(alice.key, answer(ANSWERS["JSON of many keys"]))
    body = {"question_text": "What is ORS?", "response_format": {"type": "json_object"}}
    first, second = (alice.post(body, headers={"Idempotency-Key": "large"}) for _ in range(2))
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()


SPELLINGS = (
    "//webhooks/alice/parse_via_chat_gpt",
    "///webhooks/alice/parse_via_chat_gpt/",
    "/%2fwebhooks/alice/parse_via_chat_gpt",
    "//%2F%2fwebhooks/alice/parse_via_chat_gpt",
    "/%2Fweb%68ooks%2Falice/parse_via_chat_gpt",
    "/webhooks%2Falice%2Fparse_via_chat_gpt",
    "//webhooks/%61lice/parse_via_chat_gpt?mode=sync",
    "http://{host}//webhooks/alice/parse_via_chat_gpt",
    "HTTP://{host}/%2fwebhooks/alice/parse_via_chat_gpt",
)
"""Targets of requests that the router sends to the webhook of alice."""
NO_WEBHOOKS = (
    "/./webhooks/alice/parse_via_chat_gpt",
    "/%2e/webhooks/alice/parse_via_chat_gpt",
    "/console/../webhooks/alice/parse_via_chat_gpt",
    "/console/..%2fwebhooks/alice/parse_via_chat_gpt",
    "/webhooks//alice/parse_via_chat_gpt",
    "/webhooks/alice//parse_via_chat_gpt",
    "/webhooks/%2falice/parse_via_chat_gpt",
    "/webhooks/./alice/parse_via_chat_gpt",
    "/%252fwebhooks/alice/parse_via_chat_gpt",
    "/%c0%afwebhooks/alice/parse_via_chat_gpt",
    "/%20/webhooks/alice/parse_via_chat_gpt",
    "/\\webhooks/alice/parse_via_chat_gpt",
    "/;/webhooks/alice/parse_via_chat_gpt",
    "/WEBHOOKS/alice/parse_via_chat_gpt",
    "http://{host}/./webhooks/alice/parse_via_chat_gpt",
)
REFUSED_TARGETS = ("webhooks/alice/f", "%2fwebhooks/alice/f", "*", "http://{host}", "http://other//webhooks/alice/f")


def to_call(organization: TestOrganization, target: str) -> bytes:
    """Return a call with exactly this target, which clients would normalize."""
    host = urlsplit(organization.server.url).netloc
    lines = [
        f"POST {target.format(host=host)} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {organization.token}",
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(json_body())}", "", json_body().decode()]).encode()


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_the_path_moves_calls_into_the_threads_of_pages(
    alice: TestOrganization, openai: OpenAIStandIn, target: str
) -> None:
    openai.for_key(alice.key, never_respond())
    with open_connections(urlsplit(alice.server.url), PAGE_THREADS) as connections:
        for connection in connections:
            connection.sendall(to_call(alice, target))
        wait_until(lambda: len(openai.requests) == PAGE_THREADS)
        assert http.get(f"{alice.server.url}/console/account/sign-in", timeout=TIMEOUT_SECONDS).status_code == 200
        openai.reset()  # ends the attack
        for connection in connections:
            connection.recv(1)


@pytest.mark.parametrize(("targets", "status"), [(NO_WEBHOOKS, b"404"), (REFUSED_TARGETS, b"400")])
def test_no_other_target_reaches_a_webhook(
    alice: TestOrganization, openai: OpenAIStandIn, targets: tuple[str, ...], status: bytes
) -> None:
    with open_connections(urlsplit(alice.server.url), len(targets)) as connections:
        for connection, target in zip(connections, targets, strict=True):
            connection.sendall(to_call(alice, target))
        replies = [connection.makefile("rb").readline().split()[1] for connection in connections]
    assert dict(zip(targets, replies, strict=True)) == dict.fromkeys(targets, status)
    assert openai.requests == []


PAGE_CONNECTIONS = 300
PAGE_CLIENTS = 24
WAIT_SECONDS = 60.0
STRANGERS = 1000


@contextmanager
def open_connections(url: SplitResult, number: int) -> Iterator[list[socket.socket]]:
    file_descriptors.raise_limit()
    with ExitStack() as stack:
        address = (str(url.hostname), url.port)
        yield [stack.enter_context(socket.create_connection(address, 60)) for _ in range(number)]


def test_pages_for_many_connections_do_not_block_the_loop(alice: TestOrganization) -> None:
    url = urlsplit(alice.server.url)
    request = f"GET /console/account/sign-in HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode()
    with open_connections(url, PAGE_CONNECTIONS) as connections:
        for connection in connections:
            connection.sendall(request)
        replies = [connection.makefile("rb").readline() for connection in connections]
    assert {reply.split()[1] for reply in replies} <= {b"200", b"429", b"503"}


def test_calls_are_answered_beside_clients_that_load_sign_in_pages(bob: TestOrganization) -> None:
    url = urlsplit(bob.server.url)
    request = f"GET /console/account/sign-in HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode()
    statuses: Counter[bytes] = Counter()
    is_over = Event()

    def load_pages(_number: int) -> None:
        while not is_over.is_set():
            with socket.create_connection((str(url.hostname), url.port), TIMEOUT_SECONDS) as connection:
                connection.sendall(request)
                statuses[connection.makefile("rb").readline().split()[1]] += 1

    with ThreadPoolExecutor(PAGE_CLIENTS) as clients:
        loads = [clients.submit(load_pages, number) for number in range(PAGE_CLIENTS)]
        try:
            # Until the limit of the address is reached, and some calls more.
            wait_until(lambda: bool(require_ok(bob.ask())) and statuses[b"429"] > 0, WAIT_SECONDS)
            for _ in range(10):
                assert require_ok(bob.ask())
        finally:
            is_over.set()
        for load in loads:
            load.result()
    assert statuses.keys() <= {b"200", b"429", b"503"}, statuses


def test_refused_calls_of_many_strangers_do_not_block_the_loop(bob: TestOrganization) -> None:
    """A refused call never waits, so the loop could run all of them in one pass."""
    url = urlsplit(bob.url)
    lines = [f"POST {url.path} HTTP/1.1", f"Host: {url.netloc}", "Authorization: Bearer wrong", "Content-Length: 2"]
    request = "\r\n".join([*lines, "", "{}"]).encode()
    with open_connections(url, STRANGERS) as connections:
        for _ in range(3):
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                # 503 `overloaded`, if a busy machine has not begun the call after three seconds.
                assert connection.recv(10_000).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 503 "))
