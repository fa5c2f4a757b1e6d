"""The bridge from ASGI to WSGI: the thread of a request, and its WSGI environment."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from glific_gpt import bridge
from glific_gpt.server import asgi
from glific_gpt.server.asgi import AsgiBridge

ASK = "/webhooks/alice/parse_via_chat_gpt"


@dataclass
class Client:
    """uvicorn's side of a request: it sends the body in parts and receives the response."""

    parts: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    disconnects: bool = False
    """True if it disconnects before its whole body has arrived."""
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def receive(self) -> dict[str, Any]:
        await asyncio.sleep(self.pause)
        part = self.parts.pop(0) if self.parts else b""
        if self.disconnects and not self.parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.headers = message.get("headers", self.headers)
        self.body += message.get("body", b"")


class App:
    """A WSGI app that stores its environment and responds with the request's body."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}
        self.thread = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environ, self.thread = environ, threading.get_ident()
        body = environ["wsgi.input"].read()
        if body == b"break":
            raise RuntimeError
        start_response("201 Created", [("x-a", "b")])
        return [b"got ", body]


@pytest.fixture(autouse=True)
def restore_loop() -> Iterator[None]:
    # `serve` leaves a closed loop in the bridge, on which later tests in this process could not wait.
    before = bridge._loop
    yield
    bridge.set_loop(before)


@pytest.fixture
def app() -> App:
    return App()


def serve(
    app: App, path: bytes = ASK.encode(), query: bytes = b"", connection: Client | None = None, **scope_changes: Any
) -> Client:
    client = connection or Client()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "headers": [],
        "server": ("127.0.0.1", 8000),
        "client": ("::1", 5000),
    }

    async def request() -> None:
        bridge.set_loop(asyncio.get_running_loop())
        asgi_app = AsgiBridge(app, lambda name: name == "parse_via_chat_gpt", threads=2)  # type: ignore[arg-type]
        await asgi_app(scope | scope_changes, client.receive, client.send)

    asyncio.run(request())
    return client


@pytest.mark.parametrize(
    ("path", "query", "is_on_loop"),
    [
        (ASK, "", True),
        (f"{ASK}/", "n=1", True),
        (ASK, "mode=auto", False),
        ("/webhooks/alice/summarise", "", False),
        ("/console/", "", False),
        ("/api/v1/organizations", "", False),
    ],
)
def test_only_synchronous_calls_of_non_blocking_functions_run_on_the_loop(
    app: App, path: str, query: str, is_on_loop: bool
) -> None:
    serve(app, path.encode(), query.encode())
    assert (app.thread == threading.get_ident()) is is_on_loop


@pytest.mark.parametrize("path", [ASK, "/console/"])
def test_it_passes_on_the_body_and_the_response(app: App, path: str) -> None:
    client = serve(app, path.encode(), connection=Client([b"a", b"bc"], 0.01))
    assert (client.status, client.headers, client.body) == (
        201,
        [(b"x-a", b"b"), (b"content-length", b"7")],
        b"got abc",
    )


def test_flask_gets_a_wsgi_environment(app: App) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"0"), (b"x-a", b"1"), (b"x-a", b"2")]
    serve(app, b"/console/%C3%A9%20x%2Fy", b"q=%20", headers=[*headers, (b"host", b"h")])
    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/console/\xc3\xa9 x/y",
        "QUERY_STRING": "q=%20",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "0",
        "HTTP_X_A": "1,2",
        "HTTP_HOST": "h",
        "REMOTE_ADDR": "::1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    assert {name: app.environ[name] for name in expected} == expected


def test_a_header_that_could_be_mistaken_for_another_is_dropped(app: App) -> None:
    serve(app, headers=[(b"x-forwarded-for", b"1.1.1.1"), (b"x_forwarded_for", b"6.6.6.6"), (b"content_length", b"9")])
    assert app.environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1"
    assert "CONTENT_LENGTH" not in app.environ


def test_a_response_without_a_body_has_no_content_length(app: App) -> None:
    assert serve(app, method="HEAD").headers == [(b"x-a", b"b")]


def test_a_client_that_has_disconnected_has_no_address(app: App) -> None:
    serve(app, client=None)
    assert app.environ["REMOTE_ADDR"] == ""


def test_the_received_part_of_a_body_is_passed_on_when_the_client_disconnects(app: App) -> None:
    assert serve(app, connection=Client([b"half", b"lost"], disconnects=True)).body == b"got half"


def test_only_as_much_of_a_large_body_is_kept_as_exceeds_the_limit(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "MAX_READ_BYTES", 3)
    assert serve(app, connection=Client([b"xx"] * 100)).body == b"got xxxx"


def test_pages_accept_larger_bodies_than_webhooks() -> None:
    for path, limit in ((b"/console/x", asgi.MAX_CONSOLE_READ_BYTES), (b"/webhooks/x", asgi.MAX_READ_BYTES)):
        app = App()
        body = serve(app, path=path, connection=Client([bytes(limit - 1), b"x", b"more"])).body
        assert len(body) == len(b"got ") + limit


def test_an_error_outside_flask_is_answered(app: App) -> None:
    client = serve(app, connection=Client([b"break"]))
    assert (client.status, client.body) == (500, b"")


def test_start_and_stop_functions_run_around_the_requests(app: App) -> None:
    events: list[str] = []
    asgi_app = AsgiBridge(app, bool, 2, lambda: events.append("started"), lambda: events.append("stopped"))  # type: ignore[arg-type]

    async def receive() -> dict[str, str]:
        events.append("received")
        return {}

    async def send(message: dict[str, str]) -> None:
        events.append(message["type"])

    asyncio.run(asgi_app({"type": "lifespan"}, receive, send))
    startup = ["received", "started", "lifespan.startup.complete"]
    assert events == [*startup, "received", "stopped", "lifespan.shutdown.complete"]
