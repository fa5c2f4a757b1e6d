"""The bridge from ASGI to WSGI: the thread of a request, and its WSGI environment."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from glific_gpt.runtime import bridge
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.request_bodies import IncompleteBody
from glific_gpt.server.wsgi_call import Response
from tests.server.asgi_client import Client, make_scope

pytestmark = pytest.mark.usefixtures("restore_loop")

TEST_TIMEOUT_SECONDS = 10
ASK = "/webhooks/alice/parse_via_chat_gpt"


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


@pytest.fixture
def app() -> App:
    return App()


Meanwhile = Callable[["asyncio.Task[None]"], Awaitable[None]]
"""Gets the running request."""


def serve(
    app: App,
    path: bytes = ASK.encode(),
    query: bytes = b"",
    connection: Client | None = None,
    meanwhile: Meanwhile | None = None,
    **scope_changes: Any,
) -> Client:
    client = connection or Client()
    scope = make_scope(path, query_string=query, **scope_changes)

    async def request() -> None:
        bridge.set_loop(asyncio.get_running_loop())
        asgi_app = AsgiBridge(app)  # type: ignore[arg-type]
        running = asyncio.ensure_future(asgi_app(scope, client.receive, client.send))
        if meanwhile:
            await meanwhile(running)
        await running

    asyncio.run(request())
    return client


@pytest.mark.parametrize(
    ("path", "query", "is_on_loop"),
    [
        (ASK, "", True),
        (f"{ASK}/", "n=1", True),
        (ASK, "mode=auto", True),
        (ASK, "m%6Fde=auto", True),
        (ASK, f"n={'x' * 1024}", False),
        (f"/webhooks/{'a' * 1024}/parse_via_chat_gpt", "", False),
        ("/webhooks/alice/summarise", "", True),
        (f"/{ASK}", "", True),
        (f"{'/' * 1024}{ASK}", "", False),
        ("/console/", "", False),
        ("/api/v1/organizations", "", False),
    ],
)
def test_webhook_calls_run_on_the_loop_and_other_requests_in_threads(
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


@pytest.mark.parametrize(("status", "lengths"), [(200, [b"4"]), (204, []), (304, [])])
def test_a_status_without_a_body_has_no_content_length(status: int, lengths: list[bytes]) -> None:
    headers = dict(Response(status, [], b"body").start_message("GET")["headers"])
    assert [*headers.values()] == lengths


def test_a_client_that_has_disconnected_has_no_address(app: App) -> None:
    serve(app, client=None)
    assert app.environ["REMOTE_ADDR"] == ""


def test_the_app_reads_no_body_of_a_client_that_disconnects(app: App) -> None:
    client = serve(app, connection=Client([b"half", b"lost"], disconnects=True))
    assert (client.status, client.body) == (500, b"")  # the app does not handle the ClientDisconnected
    assert isinstance(app.environ["wsgi.input"], IncompleteBody)


def test_an_error_outside_flask_is_answered(app: App) -> None:
    client = serve(app, connection=Client([b"break"]))
    assert (client.status, client.body) == (500, b"")
    assert (b"x-content-type-options", b"nosniff") in client.headers


def test_a_cancelled_request_is_answered() -> None:
    """uvicorn cancels the requests that still run after the shutdown time-out."""
    started, is_over = threading.Event(), threading.Event()

    class WaitingApp(App):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
            started.set()
            is_over.wait(TEST_TIMEOUT_SECONDS)
            return super().__call__(environ, start_response)

    async def cancel(request: asyncio.Task[None]) -> None:
        await asyncio.to_thread(started.wait, TEST_TIMEOUT_SECONDS)
        request.cancel()

    client = serve(WaitingApp(), b"/console/", meanwhile=cancel)
    is_over.set()
    assert (client.status, client.body) == (500, b"")


def test_the_parts_of_a_response_are_closed() -> None:
    closed: list[bool] = []

    class Parts(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    class ClosingApp(App):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
            return Parts(super().__call__(environ, start_response))

    assert serve(ClosingApp()).status == 201
    assert closed == [True]


def test_the_loop_runs_while_the_stop_function_blocks(app: App) -> None:
    async def run_lifespan() -> None:
        loop, messages = asyncio.get_running_loop(), []

        def stop() -> None:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(TEST_TIMEOUT_SECONDS)

        async def receive() -> dict[str, str]:
            return {}

        async def send(message: dict[str, str]) -> None:
            messages.append(message["type"])

        await AsgiBridge(app, on_shutdown=stop)({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
        assert messages[-1] == "lifespan.shutdown.complete"

    asyncio.run(run_lifespan())


def test_start_and_stop_functions_run_around_the_requests(app: App) -> None:
    events: list[str] = []
    asgi_app = AsgiBridge(app, lambda: events.append("started"), lambda: events.append("stopped"))  # type: ignore[arg-type]

    async def receive() -> dict[str, str]:
        events.append("received")
        return {}

    async def send(message: dict[str, str]) -> None:
        events.append(message["type"])

    asyncio.run(asgi_app({"type": "lifespan"}, receive, send))
    startup = ["received", "started", "lifespan.startup.complete"]
    assert events == [*startup, "received", "stopped", "lifespan.shutdown.complete"]
