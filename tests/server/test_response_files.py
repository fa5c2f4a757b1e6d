"""Large responses are kept in files and sent in chunks, so that they need no memory."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glific_gpt.runtime import bridge
from glific_gpt.server import response_files
from glific_gpt.server.asgi import AsgiBridge
from tests.server.asgi_client import make_scope

pytestmark = pytest.mark.usefixtures("restore_loop")

PART = b"0123456789" * 10_000


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


def test_a_response_that_finds_no_place_for_its_file_is_refused() -> None:
    for _ in range(response_files.MAX_FILES):
        assert response_files._places.acquire(blocking=False)
    try:
        messages = respond(50)
    finally:
        for _ in range(response_files.MAX_FILES):
            response_files._places.release()
    assert messages[0]["status"] == 503
    assert messages[0]["headers"]


def test_an_app_that_fails_in_the_middle_leaves_no_file(files: list[Any]) -> None:
    def parts() -> Iterator[bytes]:
        yield PART * 20
        raise RuntimeError

    with pytest.raises(RuntimeError):
        response_files.collect(parts())
    assert [file.closed for file in files] == [True]
    assert response_files._places.acquire(blocking=False)
    response_files._places.release()
