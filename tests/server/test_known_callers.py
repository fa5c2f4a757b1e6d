"""Known callers: unknown callers with many names wait behind each other, not before the organizations."""

import asyncio
from typing import Any

import pytest

from glific_gpt.runtime import bridge
from glific_gpt.server import known_callers
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.known_callers import UNKNOWN, KnownCallers
from glific_gpt.webhooks.routes import IS_AUTHENTICATED
from tests.server.asgi_client import Client, make_scope
from tests.support.event_loop import server_loop

TOKEN = "Bearer a-token"
ALICE: dict[str, Any] = {"HTTP_AUTHORIZATION": TOKEN}


def test_a_caller_is_known_by_organization_and_token() -> None:
    callers = KnownCallers()
    assert callers.group("alice", ALICE) == UNKNOWN
    callers.add("alice", ALICE)
    assert callers.group("alice", ALICE) == "alice"
    assert callers.group("bob", ALICE) == UNKNOWN
    assert callers.group("alice", {"HTTP_AUTHORIZATION": "Bearer another"}) == UNKNOWN
    assert callers.group("alice", {}) == UNKNOWN
    assert TOKEN not in repr(vars(callers))


def test_a_token_that_is_refused_is_forgotten() -> None:
    callers = KnownCallers()
    callers.add("alice", ALICE)
    callers.forget_token("alice", ALICE)  # it was revoked
    assert callers.group("alice", ALICE) == UNKNOWN


def test_callers_with_a_signature_are_known_by_organization_and_address() -> None:
    callers = KnownCallers()
    glific = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    callers.add("alice", glific | {"HTTP_X_GLIFIC_SIGNATURE": "t=1,v1=a"})
    callers.forget_token("alice", glific | {"HTTP_X_GLIFIC_SIGNATURE": "t=1,v1=forged"})
    assert callers.group("alice", glific | {"HTTP_X_GLIFIC_SIGNATURE": "t=2,v1=b"}) == "alice"
    assert callers.group("bob", glific) == UNKNOWN
    # An attacker who sends Glific's address, without a proxy and through one.
    assert callers.group("alice", glific | {"REMOTE_ADDR": "198.51.100.9"}) == UNKNOWN
    assert callers.group("alice", glific | {"HTTP_X_FORWARDED_FOR": "203.0.113.7, 198.51.100.9"}) == UNKNOWN


def test_the_memory_for_callers_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_callers, "MAX_KNOWN", 3)
    callers = KnownCallers()
    names = ["a", "b", "c", "a", "d"]
    for name in names:
        callers.add(name, {})
    assert [callers.group(name, {}) for name in ("a", "b", "c", "d")] == [UNKNOWN, "b", "c", "d"]


async def call(server: AsgiBridge, name: str, authorization: str = "") -> Client:
    client, headers = Client(), [(b"authorization", authorization.encode())] if authorization else []
    scope = make_scope(f"/webhooks/{name}/f".encode(), headers=headers)
    await server(scope, client.receive, client.send)
    return client


def test_strangers_with_many_names_do_not_delay_a_known_caller() -> None:
    ended: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        bridge.sleep(0.001)
        if environ.get("HTTP_AUTHORIZATION") == TOKEN:
            environ[IS_AUTHENTICATED] = True
        ended.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b""]

    async def run() -> None:
        server = AsgiBridge(app)  # type: ignore[arg-type] # any WSGI app will do
        await call(server, "alice", TOKEN)
        strangers = [asyncio.create_task(call(server, f"name-{number}")) for number in range(200)]
        await asyncio.gather(*strangers, asyncio.create_task(call(server, "alice", TOKEN)))

    with server_loop() as loop:
        loop.run_until_complete(run())
    assert ended[1:].index("/webhooks/alice/f") <= bridge.MAX_CONCURRENT_CALLS * 2


@pytest.mark.parametrize(("status", "is_known"), [("401 Unauthorized", False), ("503 Service Unavailable", True)])
def test_a_token_is_forgotten_when_it_is_refused_and_not_when_the_server_fails(status: str, *, is_known: bool) -> None:
    answers = ["200 OK", status]

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = answers.pop(0)
        if answer == "200 OK":
            environ[IS_AUTHENTICATED] = True
        start_response(answer, [])
        return [b""]

    async def run() -> str:
        server = AsgiBridge(app)  # type: ignore[arg-type] # any WSGI app will do
        for _ in range(2):
            await call(server, "alice", TOKEN)
        return server._known_callers.group("alice", ALICE)

    with server_loop() as loop:
        assert loop.run_until_complete(run()) == ("alice" if is_known else UNKNOWN)


def test_a_refusal_that_fails_does_not_delay_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "START_TIMEOUT_SECONDS", 0.0)

    def app(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        raise RuntimeError

    async def run() -> tuple[int, int]:
        monkeypatch.setattr(bridge._limit.slots, "free", 0)
        server = AsgiBridge(app)  # type: ignore[arg-type] # any WSGI app will do
        return (await call(server, "alice")).status, server._refusal_slots.free

    with server_loop() as loop:
        assert loop.run_until_complete(run()) == (500, 1)
