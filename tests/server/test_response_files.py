"""Large responses are kept in files and sent in chunks, so that they need no memory."""

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.console.presenters import calls_csv
from glific_gpt.console.views import calls as calls_view
from glific_gpt.network import ip_addresses
from glific_gpt.runtime import bridge
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.runtime.organization_limit import OrganizationLimit
from glific_gpt.server import response_files
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.response_files import (
    CHUNK_BYTES,
    MAX_FILES,
    MAX_FILES_OF_CLIENT,
    FileSlots,
    ResponseFile,
    TooManyFiles,
)
from tests.console.users import create_user
from tests.server.asgi_client import make_scope
from tests.server.test_request_bodies import read_response
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization

pytestmark = pytest.mark.usefixtures("restore_loop")

PART = b"0123456789" * 10_000
EXPORT_CHUNKS = 160
"""Ten mebibytes: more than the operating system keeps for a connection."""
SLOW, OTHER = "127.0.0.2", "127.0.0.1"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The temporary files that were opened."""
    opened: list[Any] = []
    create = tempfile.TemporaryFile

    def create_and_record() -> Any:
        opened.append(create())
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", create_and_record)
    return opened


def respond(parts: int, send: Callable[[Any], None] = lambda _: None, method: str = "GET") -> list[dict[str, Any]]:
    """Return the messages with which a response of that many parts is sent."""
    messages: list[dict[str, Any]] = []

    def app(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return iter([PART] * parts)

    async def record(message: dict[str, Any]) -> None:
        messages.append(message)
        send(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def request() -> None:
        bridge.set_loop(asyncio.get_running_loop())
        await AsgiBridge(app)(make_scope(b"/export", method=method), receive, record)  # type: ignore[arg-type]

    asyncio.run(request())
    return messages


def body_of(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def length_of(messages: list[dict[str, Any]]) -> int:
    return int(dict(messages[0]["headers"])[b"content-length"])


def test_a_large_response_is_sent_in_chunks_from_a_file_that_is_deleted(files: list[Any]) -> None:
    messages = respond(50)
    assert (body_of(messages), length_of(messages)) == (PART * 50, len(PART) * 50)
    assert max(len(message.get("body", b"")) for message in messages) == response_files.CHUNK_BYTES
    assert [file.closed for file in files] == [True]


def test_a_page_needs_no_file(files: list[Any]) -> None:
    messages = respond(10)
    assert (body_of(messages), length_of(messages)) == (PART * 10, len(PART) * 10)
    assert files == []


def test_a_client_that_disconnects_leaves_no_file(files: list[Any]) -> None:
    def disconnect(message: dict[str, Any]) -> None:
        if message.get("body"):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        respond(50, disconnect)
    assert [file.closed for file in files] == [True]


def test_a_response_that_finds_no_slot_for_its_file_is_refused() -> None:
    """The files of this client are still being written, so none of its connections can be closed."""
    address = make_scope(b"/")["client"][0]
    files = [response_files._slots.open(ip_addresses.network(address)) for _ in range(MAX_FILES_OF_CLIENT)]
    try:
        messages = respond(50)
    finally:
        for file in files:
            file.close()
    assert messages[0]["status"] == 503
    assert messages[0]["headers"]


def test_the_slowest_reader_of_the_client_with_the_most_files_is_disconnected() -> None:
    slots, aborted = FileSlots(), []

    def send(client: str, waiting_since: float) -> ResponseFile:
        file = slots.open(client)
        file.waiting_since = waiting_since
        file._disconnect = lambda: aborted.append(file)
        return file

    many = [send("192.0.2.0", 100 - number) for number in range(MAX_FILES_OF_CLIENT)]
    single = [send(f"198.51.100.{number}", 0) for number in range(MAX_FILES - MAX_FILES_OF_CLIENT)]
    assert aborted == []
    send("203.0.113.1", 200)
    assert aborted == [many[-1]]
    many[-1].close()  # its slot is in use again
    send("198.51.100.0", 300)
    assert aborted == [many[-1], many[-2]]
    send("198.51.100.0", 301)
    assert aborted[2:] == [many[-3]]
    send("198.51.100.0", 302)
    assert aborted[3:] == [single[0]]


def test_a_client_has_few_slots() -> None:
    slots = FileSlots()
    files = [slots.open("192.0.2.0") for _ in range(MAX_FILES_OF_CLIENT)]
    with pytest.raises(TooManyFiles):
        slots.open("192.0.2.0")
    slots.open("192.0.2.1")
    files[0].close()
    slots.open("192.0.2.0")


def test_an_app_that_fails_in_the_middle_leaves_no_file(files: list[Any]) -> None:
    def parts() -> Iterator[bytes]:
        yield PART * 20
        raise RuntimeError

    with pytest.raises(RuntimeError):
        response_files.collect(parts(), OTHER)
    assert [file.closed for file in files] == [True]
    assert response_files._slots._taken == []


@pytest.mark.parametrize("address", [SLOW, OTHER])
def test_exports_that_a_viewer_does_not_read_block_nobody_elses(
    server: RunningServer,
    alice: TestOrganization,
    bob: TestOrganization,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    address: str,
) -> None:
    """Also if the others have the same address."""
    monkeypatch.setattr(calls_view, "organization_exports", OrganizationLimit(100, "busy"))
    monkeypatch.setattr(calls_view, "export_slot", FairSemaphore(100, max_waiting=0, max_waiting_of_group=0))
    monkeypatch.setattr(calls_csv, "generate_csv", lambda *_: iter(["x" * CHUNK_BYTES] * EXPORT_CHUNKS))
    slow, other = (sign_in(server, organization.slug) for organization in (alice, bob))
    with ExitStack() as stack:
        wires = [stack.enter_context(exporting(server, alice.slug, slow, SLOW)) for _ in range(MAX_FILES + 4)]
        # One that comes while all five files are still being written is refused.
        assert {wire.recv(12) for wire in wires} <= {b"HTTP/1.1 200", b"HTTP/1.1 503"}
        with exporting(server, bob.slug, other, address) as wire:
            status, _, body = read_response(wire)
        assert (status, len(body)) == (200, EXPORT_CHUNKS * CHUNK_BYTES)
        complete = [wire for wire in wires if count_bytes(wire) > EXPORT_CHUNKS * CHUNK_BYTES]
        assert len(complete) == MAX_FILES_OF_CLIENT - (address == SLOW)
    log = "".join(capfd.readouterr())
    assert f'"address": "{SLOW}"' in log
    assert "Exception in ASGI application" not in log


def test_a_client_that_reads_a_file_too_slowly_is_disconnected(
    server: RunningServer, alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_files, "SEND_SECONDS", 0.3)
    monkeypatch.setattr(calls_csv, "generate_csv", lambda *_: iter(["x" * CHUNK_BYTES] * EXPORT_CHUNKS))
    with exporting(server, alice.slug, sign_in(server, alice.slug), SLOW) as wire:
        assert wire.recv(12) == b"HTTP/1.1 200"
        time.sleep(1)
        assert count_bytes(wire) < EXPORT_CHUNKS * CHUNK_BYTES


def sign_in(server: RunningServer, slug: str) -> str:
    """Return the cookies of a new viewer."""
    viewer = create_user(server, f"viewer@{slug}.example.org", Role.VIEWER, slug)
    with viewer.client:
        viewer.sign_in()
        return "; ".join(f"{name}={value}" for name, value in viewer.client.cookies.items())


@contextmanager
def exporting(server: RunningServer, slug: str, cookies: str, address: str) -> Iterator[socket.socket]:
    """Request the export of calls from this address."""
    url = urlsplit(server.url)
    with socket.socket() as wire:
        wire.settimeout(TIMEOUT_SECONDS)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.bind((address, 0))
        wire.connect((url.hostname, url.port))
        path = f"/console/organizations/{slug}/calls.csv"
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nCookie: {cookies}\r\n\r\n".encode())
        yield wire


def count_bytes(wire: socket.socket) -> int:
    """Return the number of bytes until the server stops sending."""
    wire.settimeout(0.5)
    received = 0
    with suppress(OSError):
        while part := wire.recv(1_000_000):
            received += len(part)
    return received
