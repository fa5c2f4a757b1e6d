"""Hostile servers at the address of a key: whatever one replies, the calls of other organizations are answered.

The server's own watchdog decides if the event loop was blocked, because the times of answers depend on the machine.
"""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from glific_gpt.openai.http_response import MAX_BODY_BYTES
from glific_gpt.openai.large_reply_slots import SLOTS_PER_ORGANIZATION
from tests.support import databases
from tests.support.deferred import wait_until
from tests.support.endless_server import ENDLESS_REPLIES, run_endless_server
from tests.support.openai_behaviours import answer, send_exactly
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

CALLS = 4
LARGE_CALLS = 12
KEY = "a-key-of-this-server"
MODEL = "Qwen/Qwen3-8B"


@pytest.fixture(scope="module")
def served(
    sqlite_template: Path, stand_in: OpenAIStandIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcesses]:
    folder = tmp_path_factory.mktemp("upstreams")
    url = databases.copy_template(sqlite_template, folder)
    with run_server_processes(
        folder / "log",
        is_forked=True,
        database_url=url,
        openai_base_url=stand_in.base_url,
        openai_hosts="127.0.0.1",
        deadline_seconds=60,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def mallory(served: ServerProcesses) -> TestOrganization:
    return served.add_organization("mallory", default_model=MODEL)


@pytest.fixture(scope="module")
def bob(served: ServerProcesses) -> TestOrganization:
    return served.add_organization("bob")


@pytest.fixture(autouse=True)
def watch(served: ServerProcesses, bob: TestOrganization) -> Iterator[None]:
    """Fail a test that blocks the loop, or after which the other organization gets no answer."""
    before = served.program.errors.count("event_loop_blocked")
    yield
    assert require_ok(bob.ask())
    assert served.program.errors.count("event_loop_blocked") == before, served.program.errors[-5000:]


MANY_VALUES = {
    "choices": (b'{"choices":[', b"{}", b"]}"),
    "parts": (b'{"choices":[{"message":{"content":[', b"{}", b"]}}]}"),
    "wrong parts": (b'{"choices":[{"message":{"content":[', b"1", b"]}}]}"),
    "usage": (b'{"choices":[{"message":{"content":"x"}}],"usage":{"a":[', b"[]", b"]}}"),
    "an error": (b'{"error":{"a":[', b"[]", b"]}}"),
    "half a surrogate pair": (b'{"z":"\\ud800","choices":[', b"{}", b"]}"),
}
"""Start, item and end of bodies."""


def fill(start: bytes, item: bytes, end: bytes) -> bytes:
    """Return a body of almost the largest size, with as many items as fit."""
    return start + b",".join([item] * ((MAX_BODY_BYTES - 200) // (len(item) + 1))) + end


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("name", MANY_VALUES)
def test_a_reply_of_many_values_does_not_block_the_loop(
    served: ServerProcesses, mallory: TestOrganization, other_openai: OpenAIStandIn, name: str, status: int
) -> None:
    def count_refused() -> int:
        return served.program.errors.count("the reply has too many values")

    before = count_refused()
    body = fill(*MANY_VALUES[name])
    assert len(body) <= MAX_BODY_BYTES
    other_openai.always(send_exactly(status, [], body))
    mallory.set_key(KEY, base_url=other_openai.base_url)
    for reply in call_concurrently(CALLS, lambda _: mallory.ask()):
        require_error(reply, "bad_upstream_reply")
    wait_until(lambda: count_refused() == before + CALLS)


@pytest.mark.parametrize("name", ENDLESS_REPLIES)
def test_an_endless_reply_does_not_block_the_loop(mallory: TestOrganization, name: str) -> None:
    with run_endless_server(*ENDLESS_REPLIES[name]) as server:
        mallory.set_key(KEY, base_url=f"http://127.0.0.1:{server.port}/v1")
        for reply in call_concurrently(CALLS, lambda _: mallory.ask()):
            require_error(reply, "bad_upstream_reply")


@pytest.mark.parametrize("name", ["tiny chunks", "trailers", "interim responses with headers"])
def test_few_parts_of_a_reply_are_read(mallory: TestOrganization, name: str) -> None:
    """The event loop takes a second for the parts that fit into the largest reply. It is not blocked by each read."""
    with run_endless_server(*ENDLESS_REPLIES[name]) as server:
        mallory.set_key(KEY, base_url=f"http://127.0.0.1:{server.port}/v1")
        require_error(mallory.ask(), "bad_upstream_reply")
        assert server.sent_bytes < MAX_BODY_BYTES


def test_an_answer_of_many_values_is_not_decoded(mallory: TestOrganization, other_openai: OpenAIStandIn) -> None:
    other_openai.always(answer(json.dumps([[]] * 900_000)))
    mallory.set_key(KEY, base_url=other_openai.base_url)
    for reply in call_concurrently(CALLS, lambda _: mallory.ask()):
        assert isinstance(require_ok(reply), str)


class UnfinishedServer:
    """Replies to every request with all but the last byte of a large body, and keeps the connection open."""

    def __init__(self) -> None:
        self.received: Counter[int] = Counter()
        """Bytes that the system has taken for each connection."""
        self.ended = threading.Event()

    @contextmanager
    def run(self) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0), backlog=LARGE_CALLS) as listener:

            def listen() -> None:
                with suppress(OSError):
                    for number in range(LARGE_CALLS):
                        wire, _ = listener.accept()
                        threading.Thread(target=self._reply, args=(wire, number), daemon=True).start()

            threading.Thread(target=listen, daemon=True).start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    def _reply(self, wire: socket.socket, number: int) -> None:
        with wire, suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
            wire.recv(65_536)
            wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES)
            while self.received[number] < MAX_BODY_BYTES - 1 and not self.ended.is_set():
                self.received[number] += wire.send(b"x" * min(65_536, MAX_BODY_BYTES - 1 - self.received[number]))
            self.ended.wait()

    def count_large(self) -> int:
        return sum(received > MAX_BODY_BYTES // 2 for received in self.received.values())


def test_few_large_replies_are_in_memory_at_the_same_time(
    mallory: TestOrganization, bob: TestOrganization, stand_in: OpenAIStandIn
) -> None:
    hostile = UnfinishedServer()
    text = json.dumps({"choices": [{"message": {"content": json.dumps({"salt": "x" * 100_000})}}]}).encode()
    with hostile.run() as base_url, ThreadPoolExecutor(LARGE_CALLS) as pool:
        mallory.set_key(KEY, base_url=base_url)
        replies = [pool.submit(mallory.ask) for _ in range(LARGE_CALLS)]
        wait_until(lambda: len(hostile.received) == LARGE_CALLS)
        wait_until(lambda: hostile.count_large() == SLOTS_PER_ORGANIZATION)
        stand_in.for_key(bob.key, send_exactly(200, [], text))
        assert require_ok(bob.ask())
        assert hostile.count_large() == SLOTS_PER_ORGANIZATION
        hostile.ended.set()
        for reply in replies:
            require_error(reply.result(), "bad_upstream_reply")
    stand_in.reset()
