"""Known callers: unknown callers with many names wait behind each other, not before the organizations."""

import asyncio
import time
from typing import Any

import pytest

from glific_gpt.clock import now
from glific_gpt.glific.signature import SignatureCheck, sign
from glific_gpt.runtime import bridge, call_context
from glific_gpt.server import known_callers
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.known_callers import MAX_TOKENS, UNKNOWN, KnownCallers
from glific_gpt.server.request_bodies import HAS_ARRIVED
from glific_gpt.webhooks.authentication import SIGNATURE_CHECK
from glific_gpt.webhooks.routes import IS_AUTHENTICATED
from tests.server.asgi_client import Client, make_scope
from tests.support.event_loop import server_loop

TOKEN = "Bearer a-token"
ALICE: dict[str, Any] = {"HTTP_AUTHORIZATION": TOKEN}
PHRASE = "a phrase that only Glific knows"
BODY = b'{"question_text": "What is ORS?"}'


def token(number: int) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Bearer {number}"}


def signed(body: bytes = BODY, phrase: str = PHRASE, age_seconds: int = 0) -> dict[str, Any]:
    return {"HTTP_X_GLIFIC_SIGNATURE": sign(phrase, body, int(time.time()) - age_seconds)}


def test_a_caller_is_known_by_organization_and_token() -> None:
    callers = KnownCallers()
    assert not callers.has_token("alice", ALICE)
    callers.add("alice", ALICE)
    assert callers.has_token("alice", ALICE)
    assert not callers.has_token("bob", ALICE)
    assert not callers.has_token("alice", {"HTTP_AUTHORIZATION": "Bearer another"})
    assert not callers.has_token("alice", {})
    assert TOKEN not in repr(callers._organizations)


def test_a_token_that_is_refused_is_forgotten() -> None:
    callers = KnownCallers()
    callers.add("alice", ALICE)
    callers.forget_token("alice", ALICE)  # it was revoked
    assert not callers.has_token("alice", ALICE)


def test_all_spellings_of_a_header_are_one_token() -> None:
    callers = KnownCallers()
    for number in range(MAX_TOKENS):
        callers.add("alice", {"HTTP_AUTHORIZATION": f"bEARER {' ' * number}a-token "})
    callers.add("alice", token(1))
    assert callers.has_token("alice", ALICE)
    assert len(callers._organizations["alice"].tokens) == 2


def test_an_organization_with_many_tokens_displaces_only_its_own() -> None:
    callers = KnownCallers()
    callers.add("bob", ALICE)
    for number in [*range(MAX_TOKENS), 0, MAX_TOKENS]:
        callers.add("alice", token(number))
    assert callers.has_token("bob", ALICE)
    known = [callers.has_token("alice", token(number)) for number in range(MAX_TOKENS + 1)]
    assert known == [True, False] + [True] * (MAX_TOKENS - 1)  # the one whose last call is the oldest is forgotten


def test_the_memory_for_organizations_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_callers, "MAX_ORGANIZATIONS", 3)
    callers = KnownCallers()
    for name in ["a", "b", "c", "a", "d"]:
        callers.add(name, ALICE)
    assert [callers.has_token(name, ALICE) for name in ("a", "b", "c", "d")] == [True, False, True, True]


def test_a_signature_is_checked_by_what_has_authenticated_the_last_one() -> None:
    callers = KnownCallers()
    assert not has_valid_signature(callers, "alice")
    check = SignatureCheck(PHRASE)
    callers.add("alice", signed() | {SIGNATURE_CHECK: check})
    assert callers.find_check("alice", signed()) is check
    assert has_valid_signature(callers, "alice")
    assert not has_valid_signature(callers, "bob")
    assert callers.find_check("alice", {}) is None
    assert callers.find_check("alice", signed(age_seconds=901)) is None
    for length in ("1048577", "9" * 18):
        assert callers.find_check("alice", signed() | {"CONTENT_LENGTH": length}) is None
    assert callers.find_check("alice", signed() | {"CONTENT_LENGTH": "9" * 5000}) is check  # it is no length
    assert PHRASE not in repr(vars(check))


def has_valid_signature(callers: KnownCallers, name: str) -> bool:
    environ = signed()
    check = callers.find_check(name, environ)
    assert check is not None  # of each name, so that each takes as long
    return check.is_valid(environ["HTTP_X_GLIFIC_SIGNATURE"], BODY, now())


def group_of_next_call(
    environ: dict[str, Any], *bodies: bytes, has_arrived: bool = True, path: bytes = b"/webhooks/alice/f"
) -> list[str]:
    """Return the groups in which a call runs, after one that was authenticated with the headers of `environ`."""
    groups: list[str] = []

    def app(called: dict[str, Any], start_response: Any) -> list[bytes]:
        groups.append(call_context.current_group())
        called["wsgi.input"].read()
        called[IS_AUTHENTICATED] = True
        if "HTTP_X_GLIFIC_SIGNATURE" in environ:
            called[SIGNATURE_CHECK] = SignatureCheck(PHRASE)
        start_response("200 OK", [])
        return [b""]

    async def run() -> None:
        server = AsgiBridge(app)  # type: ignore[arg-type] # any WSGI app will do
        for body in (BODY, *bodies):
            client = Client([body])
            headers = [(name[5:].replace("_", "-").lower().encode(), value.encode()) for name, value in environ.items()]
            scope = make_scope(path, headers=headers) | ({HAS_ARRIVED: True} if has_arrived else {})
            await server(scope, client.receive, client.send)

    with server_loop() as loop:
        loop.run_until_complete(run())
    return groups


LONG_BODY = b"a" * 64 * 1024


def test_a_call_with_a_valid_signature_runs_in_the_group_of_its_organization() -> None:
    assert group_of_next_call(signed(), BODY) == [UNKNOWN, "alice"]
    # Nothing runs before the body has arrived.
    assert group_of_next_call(signed(), BODY, has_arrived=False) == [UNKNOWN, "alice"]


@pytest.mark.parametrize("has_arrived", [False, True])
def test_slashes_before_the_path_do_not_change_the_group(*, has_arrived: bool) -> None:
    groups = group_of_next_call(signed(), BODY, has_arrived=has_arrived, path=b"//webhooks/alice/f")
    assert groups == [UNKNOWN, "alice"]


def test_a_call_with_a_forged_signature_runs_in_the_group_of_strangers() -> None:
    assert group_of_next_call(signed(), b"{}") == [UNKNOWN, UNKNOWN]
    assert group_of_next_call(signed(), LONG_BODY) == [UNKNOWN, UNKNOWN]


def test_the_signature_of_a_long_body_is_checked_too() -> None:
    assert group_of_next_call(signed(LONG_BODY), LONG_BODY) == [UNKNOWN, "alice"]


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

    async def run() -> bool:
        server = AsgiBridge(app)  # type: ignore[arg-type] # any WSGI app will do
        for _ in range(2):
            await call(server, "alice", TOKEN)
        return server._known_callers.has_token("alice", ALICE)

    with server_loop() as loop:
        assert loop.run_until_complete(run()) is is_known


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
