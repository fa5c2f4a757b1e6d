"""From Granian's protocol to WSGI: where a request runs, and what Flask is told of it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from glific_gpt import serving, waiting
from glific_gpt.serving import Serving

ASK = "/webhooks/alice/parse_via_chat_gpt"


@dataclass
class Protocol:
    """What Granian gives, with a body that comes in parts."""

    parts: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    said: tuple[int, list[tuple[str, str]], bytes] = (0, [], b"")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            await asyncio.sleep(self.pause)
            yield part

    def response_bytes(self, *said: Any) -> None:
        self.said = said

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.said = (status, headers, b"")


class Headers(list[tuple[str, str]]):
    """As Granian gives them."""

    def items(self) -> list[tuple[str, str]]:
        return self

    def __contains__(self, name: object) -> bool:
        return name in dict(self)


class App:
    """Notes what it is told, and answers with the body that it got."""

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
def app() -> Iterator[App]:
    before = waiting._loop
    yield App()
    waiting.use(before)


def serve(app: App, path: str = ASK, query: str = "", protocol: Protocol | None = None, **more: Any) -> Protocol:
    protocol = protocol or Protocol()
    headers = more.pop("headers", [("transfer-encoding", "chunked")])
    scope = SimpleNamespace(
        method="POST",
        path=path,
        query_string=query,
        scheme="http",
        http_version="1.1",
        **{"server": "127.0.0.1:8000", "client": "[::1]:5000", "authority": None} | more,
        headers=Headers(headers),
    )

    async def request() -> None:
        made = Serving(app, lambda name: name == "parse_via_chat_gpt", threads=2)  # type: ignore[arg-type]
        made.__rsgi_init__(asyncio.get_running_loop())
        await made.__rsgi__(scope, protocol)  # type: ignore[arg-type]

    asyncio.run(request())
    return protocol


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
def test_only_what_waits_for_nothing_but_its_model_runs_on_the_loop(
    app: App, path: str, query: str, is_on_loop: bool
) -> None:
    serve(app, path, query)
    assert (app.thread == threading.get_ident()) is is_on_loop


@pytest.mark.parametrize("path", [ASK, "/console/"])
def test_it_passes_the_body_on_and_the_answer_back(app: App, path: str) -> None:
    assert serve(app, path, protocol=Protocol([b"a", b"bc"], 0.01)).said == (201, [("x-a", "b")], b"got abc")


def test_flask_is_told_of_the_request_as_wsgi_has_it(app: App) -> None:
    headers = [("content-type", "text/plain"), ("content-length", "0"), ("x-a", "1"), ("x-a", "2"), ("host", "h")]
    serve(app, "/console/é x", "q=1", headers=headers)
    told = {
        "PATH_INFO": "/console/\xc3\xa9 x",
        "QUERY_STRING": "q=1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "0",
        "HTTP_X_A": "1,2",
        "HTTP_HOST": "h",
        "REMOTE_ADDR": "::1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
    }
    assert {name: app.environ[name] for name in told} == told


@pytest.mark.parametrize(("limit", "path"), [("BODY_SECONDS", ASK), ("PATIENT_BODY_SECONDS", "/console/")])
def test_a_body_that_comes_too_slowly_is_given_up(
    app: App, monkeypatch: pytest.MonkeyPatch, limit: str, path: str
) -> None:
    monkeypatch.setattr(serving, limit, 0.3)
    before = time.monotonic()
    protocol = serve(app, path, protocol=Protocol([b"x"] * 100, 0.1))
    assert time.monotonic() - before < 2
    assert protocol.said[2].count(b"x") < 10


def test_what_breaks_beneath_flask_is_answered_all_the_same(app: App) -> None:
    assert serve(app, protocol=Protocol([b"break"])).said[0] == 500
