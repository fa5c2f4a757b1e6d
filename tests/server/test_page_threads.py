"""Threads for pages: a client with many requests neither blocks health checks nor the pages of others."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from glific_gpt.api.authentication import HAS_VALID_API_TOKEN
from glific_gpt.runtime.cpu_bound import LARGE_CHARACTERS
from glific_gpt.server import asgi, request_threads, stranger_limits
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.connection_limits import ConnectionLimits
from glific_gpt.server.options import ServerOptions
from glific_gpt.server.request_threads import RequestThreads
from glific_gpt.server.stranger_limits import StrangerLimits
from glific_gpt.webhooks import paths
from tests.server.asgi_client import Client, make_scope
from tests.support import http
from tests.support.event_loop import server_loop
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import requires_linux
from tests.support.serving import run_server_processes
from tests.webhooks.assertions import require_ok
from tests.webhooks.concurrency import call_concurrently

THREADS = 2
TEST_TIMEOUT_SECONDS = 10
FLOOD, OTHER = "2001:db8::", "192.0.2.9"
VALID = "valid"
"""The API token that the app accepts."""
API = "/api/v1/organizations"


class SlowPages:
    """A WSGI app whose pages wait for a permission each. Health checks do not, except the one named by `slow`."""

    def __init__(self, slow: str = "") -> None:
        self.slow = slow
        self.permissions = threading.Semaphore(0)
        self.begun: list[str] = []
        """The address of each page's client."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if paths.normalize(environ["PATH_INFO"]) not in request_threads.HEALTH_CHECKS - {self.slow}:
            self.begun.append(environ.get("HTTP_X_FORWARDED_FOR") or environ["REMOTE_ADDR"])
            assert self.permissions.acquire(timeout=TEST_TIMEOUT_SECONDS)
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {VALID}":
            environ[HAS_VALID_API_TOKEN] = True
        start_response("200 OK", [])
        return [b""]


@pytest.fixture(autouse=True)
def few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_threads, "PAGE_THREADS", THREADS)


def create_bridge(app: SlowPages, trusted_proxies: int = 0, threads: RequestThreads | None = None) -> AsgiBridge:
    options = ServerOptions((("X-Content-Type-Options", "nosniff"),), ConnectionLimits(100, None), trusted_proxies)
    return AsgiBridge(app, options=options, threads=threads)  # type: ignore[arg-type] # any WSGI app will do


async def get(
    server: AsgiBridge, path: str, address: str, forwarded_for: str = "", cookie: str = "", token: str = ""
) -> Client:
    client = Client()
    headers = [(b"x-forwarded-for", forwarded_for.encode())] if forwarded_for else []
    headers += [(b"cookie", cookie.encode())] if cookie else []
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = make_scope(path.encode(), method="GET", headers=headers, client=(address, 5000))
    await server(scope, client.receive, client.send)
    return client


def run(requests: Coroutine[Any, Any, None]) -> None:
    with server_loop() as loop:
        loop.run_until_complete(requests)


async def wait_for(app: SlowPages, pages: int) -> None:
    async with asyncio.timeout(TEST_TIMEOUT_SECONDS):
        while len(app.begun) < pages:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("is_behind_a_proxy", [False, True])
def test_clients_get_threads_in_turn_and_an_ipv6_network_is_one_client(*, is_behind_a_proxy: bool) -> None:
    app = SlowPages()
    server = create_bridge(app, trusted_proxies=int(is_behind_a_proxy))

    def page(address: str) -> "asyncio.Task[Client]":
        request = get(server, "/console/", "127.0.0.1", address) if is_behind_a_proxy else get(server, "/", address)
        return asyncio.ensure_future(request)

    async def requests() -> None:
        flood = [page(f"{FLOOD}{number}") for number in range(1, 11)]
        await wait_for(app, THREADS)
        other = page(OTHER)
        await asyncio.sleep(0.05)
        for number in range(THREADS):
            app.permissions.release()
            await wait_for(app, THREADS + number + 1)
        assert OTHER in app.begun
        app.permissions.release(len(flood))
        assert {client.status for client in await asyncio.gather(*flood, other)} == {200}

    run(requests())


def test_a_health_check_is_answered_while_no_page_thread_is_free() -> None:
    app = SlowPages()
    server = create_bridge(app)

    async def requests() -> None:
        pages = [asyncio.ensure_future(get(server, "/", OTHER)) for _ in range(THREADS * 3)]
        await wait_for(app, THREADS)
        for path in ("/livez", "//livez"):
            assert (await get(server, path, OTHER)).status == 200
        app.permissions.release(len(pages))
        await asyncio.gather(*pages)

    run(requests())


def test_a_health_check_waits_for_one_of_another_client_at_most() -> None:
    app = SlowPages(slow="/readyz")
    server = create_bridge(app)

    async def requests() -> None:
        flood = [asyncio.ensure_future(get(server, "/readyz", FLOOD)) for _ in range(20)]
        await wait_for(app, request_threads.HEALTH_THREADS)
        other = asyncio.ensure_future(get(server, "/livez", OTHER))
        await asyncio.sleep(0.05)
        for number in range(request_threads.HEALTH_THREADS):
            app.permissions.release()
            await asyncio.sleep(0.05)
            assert other.done() or number == 0
        app.permissions.release(len(flood))
        await asyncio.gather(*flood, other)

    run(requests())


def for_people_with_a_cookie() -> RequestThreads:
    return RequestThreads(lambda environ: "HTTP_COOKIE" in environ)


def test_pages_of_strangers_share_few_threads_and_take_none_of_those_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_threads, "STRANGER_THREADS", 1)
    app = SlowPages()
    server = create_bridge(app, threads=for_people_with_a_cookie())

    async def requests() -> None:
        flood = [asyncio.ensure_future(get(server, "/console/account/sign-in", FLOOD)) for _ in range(24)]
        await wait_for(app, 1)
        people = [asyncio.ensure_future(get(server, "/console/", OTHER, cookie="person")) for _ in range(THREADS)]
        await wait_for(app, 1 + THREADS)
        await asyncio.sleep(0.05)
        assert app.begun == [FLOOD, *[OTHER] * THREADS]
        app.permissions.release(len(flood) + len(people))
        assert {client.status for client in await asyncio.gather(*flood, *people)} == {200}

    run(requests())


@pytest.fixture
def few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each network of strangers load three pages, and no more later."""
    monkeypatch.setattr(stranger_limits, "BURST_PAGES", 3)
    monkeypatch.setattr(stranger_limits, "PAGES_PER_SECOND", 0.0)
    monkeypatch.setattr(request_threads, "REFUSAL_SECONDS", 0.01)


@pytest.mark.usefixtures("few_pages")
def test_a_network_of_strangers_has_a_limit_of_pages_which_static_files_and_people_do_not_have() -> None:
    app = SlowPages()
    app.permissions.release(20)
    server = create_bridge(app, threads=for_people_with_a_cookie())

    async def requests() -> None:
        paths_of_strangers = ("/console/account/sign-in", "/robots.txt", "/", "/unknown", "//console/unknown")
        answers = [await get(server, path, FLOOD) for path in paths_of_strangers]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert {(b"retry-after", b"1"), (b"x-content-type-options", b"nosniff")} <= set(answers[-1].headers)
        assert answers[-1].body == asgi.MSG_MANY_PAGES
        assert (await get(server, "/console/static/mark.svg", FLOOD)).status == 200
        assert (await get(server, "/console/", FLOOD, cookie="person")).status == 200
        assert (await get(server, "/livez", FLOOD)).status == 200
        assert (await get(server, "/unknown", OTHER)).status == 200

    run(requests())


@pytest.mark.usefixtures("few_pages")
def test_a_token_moves_only_requests_to_the_json_api_with_a_valid_one_beyond_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_threads, "MAX_API_TOKENS", 1)
    app = SlowPages()
    app.permissions.release(20)
    server = create_bridge(app, threads=for_people_with_a_cookie())

    async def statuses(*requests: tuple[str, str]) -> list[int]:
        return [(await get(server, path, FLOOD, token=token)).status for path, token in requests]

    async def requests() -> None:
        sign_in = "/console/account/sign-in"
        assert await statuses((API, VALID), (API, "wrong"), (sign_in, VALID)) == [200] * 3
        assert await statuses((API, "wrong"), (sign_in, VALID), ("/api/openapi.json", VALID)) == [429] * 3
        assert await statuses((API, VALID), (API, VALID)) == [200] * 2

    run(requests())


def test_a_token_that_is_no_longer_valid_is_forgotten() -> None:
    threads = for_people_with_a_cookie()
    environ: dict[str, Any] = {"HTTP_AUTHORIZATION": "Bearer x", "REQUEST_METHOD": "GET"}

    async def is_page_of_stranger() -> bool:
        return await threads.find(API, environ, FLOOD) is threads._strangers

    threads.note_token(environ | {HAS_VALID_API_TOKEN: True})
    assert not asyncio.run(is_page_of_stranger())
    threads.note_token(environ)
    assert asyncio.run(is_page_of_stranger())
    threads.shut_down()


def test_the_limit_of_a_network_is_over_after_a_while_and_old_networks_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stranger_limits, "MAX_NETWORKS", 2)
    monkeypatch.setattr(stranger_limits, "BURST_PAGES", 2)
    at = [100.0]
    monkeypatch.setattr(stranger_limits, "monotonic", lambda: at[0])
    limits = StrangerLimits()
    assert [limits.take(FLOOD) for _ in range(3)] == [True, True, False]
    at[0] += 1.1 / stranger_limits.PAGES_PER_SECOND
    assert [limits.take(FLOOD) for _ in range(2)] == [True, False]
    assert [limits.take(network) for network in (OTHER, "198.51.100.1", FLOOD)] == [True] * 3


def test_a_page_that_gets_no_thread_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "PAGE_TIMEOUT_SECONDS", 0.05)
    app = SlowPages()
    server = create_bridge(app)

    async def requests() -> None:
        pages = [asyncio.ensure_future(get(server, "/", OTHER)) for _ in range(THREADS)]
        await wait_for(app, THREADS)
        refused = await get(server, "/", OTHER)
        assert (refused.status, refused.body) == (503, asgi.MSG_BUSY)
        assert {(b"retry-after", b"1"), (b"x-content-type-options", b"nosniff")} <= set(refused.headers)
        app.permissions.release(len(pages))
        await asyncio.gather(*pages)
        assert len(app.begun) == THREADS

    run(requests())


@requires_linux
def test_the_shipped_server_starts_no_thread_on_its_event_loop(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    """To start a thread, the loop would wait until the operating system runs it."""
    with run_server_processes(
        tmp_path / "log", database_url=database_url, openai_base_url=openai.base_url, worker="separate", is_forked=True
    ) as server:
        before = wait_for_threads(server.program.process.pid)
        alice = server.add_organization("alice")
        require_ok(alice.ask("x" * LARGE_CHARACTERS))  # encoded in the thread for long computations
        call_concurrently(20, lambda _: http.get(f"{server.url}/console/account/sign-in"))
        http.get(f"{server.url}/readyz")
        assert threads_of(server.program.process.pid) == before


def wait_for_threads(pid: int) -> int:
    """Return the number of threads once it has not changed for a second: the engine of later answers starts late."""
    numbers = [threads_of(pid)]
    while len(numbers) < 6 or len(set(numbers[-6:])) > 1:
        time.sleep(0.2)
        numbers.append(threads_of(pid))
    return numbers[-1]


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
