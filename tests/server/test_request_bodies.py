"""Bodies of requests: who sends one is checked first, each route has its limit, and a part is never processed."""

import asyncio
import gc
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Request

from glific_gpt.accounts.sign_in import login_throttle
from glific_gpt.accounts.tables import Role
from glific_gpt.glific.signature import sign
from glific_gpt.operations.ready_flows import Placement
from glific_gpt.runtime.fair_semaphore import FairSemaphore
from glific_gpt.server import http_protocol
from glific_gpt.server.asgi import MAX_ARRIVING_PAGE_BYTES
from glific_gpt.server.http_protocol import HttpProtocol
from glific_gpt.server.request_bodies import BodyReader
from glific_gpt.settings import MAX_BODY_BYTES, MAX_FORM_BYTES, MAX_PUBLIC_FORM_BYTES
from tests.api.client import client_of
from tests.console.test_convert_flow import error as file_error
from tests.console.users import PASSWORD, create_user
from tests.support.deferred import wait_until
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization
from tests.webhooks.assertions import require_ok

PHRASE = "a phrase that only Glific knows"
BODY = json.dumps({"question_text": "What is ORS?"}).encode()
WEBHOOK = "/webhooks/{slug}/parse_via_chat_gpt"
SIGN_IN = "/console/account/sign-in"
FORM = "Content-Type: application/x-www-form-urlencoded"
OLD = int(time.time()) - 3600


@contextmanager
def sending(
    server: RunningServer,
    path: str,
    *headers: str,
    length: int | None = len(BODY),
    method: str = "POST",
    source: str = "127.0.0.1",
) -> Iterator[socket.socket]:
    """Send the head of a request and yield the connection. Without a length, the body is chunked."""
    address = urlsplit(server.url)
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    head = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {address.netloc}", framing, *headers, "", ""])
    target = (address.hostname or "", address.port or 0)
    with socket.create_connection(target, TIMEOUT_SECONDS, source_address=(source, 0)) as wire:
        wire.sendall(head.encode())
        yield wire


def read_response(wire: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with wire.makefile("rb") as reply:
        status = int(reply.readline().split()[1])
        headers = {}
        while (line := reply.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, reply.read(int(headers.get("content-length", 0)))


def code(body: bytes) -> str:
    values = json.loads(body)
    return str(values.get("error_code") or values.get("code") or values.get("status"))


def send_chunks(wire: socket.socket, size: int) -> None:
    """Send a chunked body of this size, unless the server stops reading."""
    chunk = b" " * 0x8000
    with suppress(OSError):
        for _ in range(size // len(chunk) + 1):
            wire.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        wire.sendall(b"0\r\n\r\n")


@pytest.mark.parametrize("slug", ["alice", "unknown"])
@pytest.mark.parametrize(
    "header",
    [
        "X-None: none",
        "Authorization: Bearer wrong",
        "X-Glific-Signature: nonsense",
        f"X-Glific-Signature: {sign(PHRASE, BODY, OLD)}",
    ],
    ids=["nothing", "a wrong token", "no signature", "an old signature"],
)
def test_a_stranger_is_refused_before_the_body(alice: TestOrganization, slug: str, header: str) -> None:
    alice.set_phrase(PHRASE)
    for more in ("X-More: none", "Expect: 100-continue"):
        with sending(alice.server, WEBHOOK.format(slug=slug), header, more) as wire:
            status, _, body = read_response(wire)
        assert (status, code(body)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", "/api/v1/organizations/alice", 401),
        ("POST", "/console/organizations/alice/use-in-glific/convert", 302),
        ("POST", "/console/organizations/alice/settings", 302),
        ("POST", "/webhooks", 404),
        ("PUT", "/webhooks/alice/parse_via_chat_gpt", 405),
        ("POST", "/nothing", 404),
    ],
)
def test_no_entry_point_waits_for_the_body_of_a_stranger(
    alice: TestOrganization, method: str, path: str, status: int
) -> None:
    with sending(alice.server, path, "Content-Type: application/json", method=method) as wire:
        assert read_response(wire)[0] == status


@pytest.mark.parametrize("slug", ["alice", "bob", "unknown"])
def test_a_forged_signature_gets_the_same_response_for_every_organization(
    alice: TestOrganization, bob: TestOrganization, slug: str
) -> None:
    """Alice has a phrase, and bob has none. Only the body tells whether the signature is valid."""
    alice.set_phrase(PHRASE)
    header = f"X-Glific-Signature: {sign('wrong', BODY, int(time.time()))}"
    with sending(alice.server, WEBHOOK.format(slug=slug), header) as wire:
        wire.sendall(BODY[:-1])
        wire.settimeout(0.5)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(TIMEOUT_SECONDS)
        wire.sendall(BODY[-1:])
        status, _, body = read_response(wire)
    assert (status, code(body)) == (401, "unauthorized")


def test_a_body_in_several_parts_is_one_call(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.set_phrase(PHRASE)
    signature = f"X-Glific-Signature: {sign(PHRASE, BODY, int(time.time()))}"
    for header in (f"Authorization: Bearer {alice.token}", signature):
        openai.reset()
        with sending(alice.server, WEBHOOK.format(slug="alice"), header) as wire:
            for byte in BODY:
                wire.sendall(bytes([byte]))
            assert read_response(wire)[0] == 200
        assert len(openai.requests) == 1
    assert len(alice.calls()) == 2


@pytest.mark.parametrize("ends", ["half-closed", "too slow"])
@pytest.mark.parametrize("query", ["", "?mode=async"])
def test_an_incomplete_body_is_never_a_call(
    alice: TestOrganization, openai: OpenAIStandIn, monkeypatch: pytest.MonkeyPatch, ends: str, query: str
) -> None:
    """Also if the part that has arrived is valid JSON."""
    if ends == "too slow":
        monkeypatch.setattr(http_protocol, "WEBHOOK_BODY_TIMEOUT_SECONDS", 0.3)
    header = f"Authorization: Bearer {alice.token}"
    with sending(alice.server, WEBHOOK.format(slug="alice") + query, header, length=len(BODY) + 1) as wire:
        wire.sendall(BODY)
        if ends == "half-closed":
            wire.shutdown(socket.SHUT_WR)
        status, _, body = read_response(wire)
    assert (status, code(body)) == (400, "invalid_json")
    assert "did not arrive completely" in json.loads(body)["error"]
    assert openai.requests == []
    assert [call["error_code"] for call in alice.calls()] == ["invalid_json"]


def test_a_client_that_disconnects_during_its_body_makes_no_call(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    header = f"Authorization: Bearer {alice.token}"
    with sending(alice.server, WEBHOOK.format(slug="alice"), header, length=len(BODY) + 1) as wire:
        wire.sendall(BODY)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # close with a reset
    until = time.monotonic() + TIMEOUT_SECONDS
    while not alice.calls() and time.monotonic() < until:
        time.sleep(0.02)
    assert [call["error_code"] for call in alice.calls()] == ["invalid_json"]
    assert openai.requests == []


def test_the_api_and_the_sign_in_page_refuse_an_incomplete_body(alice: TestOrganization) -> None:
    requests: tuple[tuple[str, str, tuple[str, ...], bytes], ...] = (
        ("PATCH", "/api/v1/organizations/alice", api_headers(alice), b'{"name": "Changed"}'),
        ("POST", SIGN_IN, (FORM,), b"email=a%40example.org&password=x"),
    )
    for method, path, headers, body in requests:
        with sending(alice.server, path, *headers, length=len(body) + 1, method=method) as wire:
            wire.sendall(body)
            wire.shutdown(socket.SHUT_WR)
            assert (path, read_response(wire)[0]) == (path, 400)
    assert client_of(alice.server, "alice").get("/organizations/alice").json()["name"] == "Alice"


def api_headers(organization: TestOrganization) -> tuple[str, str]:
    token = client_of(organization.server, organization.slug).token
    return f"Authorization: Bearer {token}", "Content-Type: application/json"


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, None], ids=["announced", "chunked"])
def test_a_webhook_body_over_one_mebibyte_is_too_large(alice: TestOrganization, length: int | None) -> None:
    header = f"Authorization: Bearer {alice.token}"
    with sending(alice.server, WEBHOOK.format(slug="alice"), header, length=length) as wire:
        if length is None:
            send_chunks(wire, MAX_BODY_BYTES + 100_000)
        status, _, body = read_response(wire)
    assert (status, code(body)) == (413, "body_too_large")


def test_a_webhook_body_of_one_mebibyte_is_accepted(alice: TestOrganization) -> None:
    header = f"Authorization: Bearer {alice.token}"
    with sending(alice.server, WEBHOOK.format(slug="alice"), header, length=MAX_BODY_BYTES) as wire:
        wire.sendall(BODY.ljust(MAX_BODY_BYTES))
        assert read_response(wire)[0] == 200


@pytest.mark.parametrize("length", [MAX_BODY_BYTES + 1, None], ids=["announced", "chunked"])
def test_a_body_of_the_api_over_one_mebibyte_is_too_large(alice: TestOrganization, length: int | None) -> None:
    path = "/api/v1/organizations/alice"
    with sending(alice.server, path, *api_headers(alice), length=length, method="PATCH") as wire:
        if length is None:
            send_chunks(wire, MAX_BODY_BYTES + 100_000)
        status, _, body = read_response(wire)
    assert (status, code(body)) == (413, "body_too_large")


@pytest.mark.parametrize("length", [MAX_FORM_BYTES + 1, None], ids=["announced", "chunked"])
def test_a_form_of_a_person_with_a_session_is_small(alice: TestOrganization, length: int | None) -> None:
    editor = create_user(alice.server, "editor@alice.example.org", Role.EDITOR, alice.slug)
    with editor.client:
        editor.sign_in()
        cookies = "; ".join(f"{name}={value}" for name, value in editor.client.cookies.items())
    path = "/console/organizations/alice/settings"
    with sending(alice.server, path, FORM, f"Cookie: {cookies}", length=length) as wire:
        if length is None:
            send_chunks(wire, MAX_FORM_BYTES + 100_000)
        status, _, body = read_response(wire)
    assert status == 413
    assert b"too large" in body
    with sending(alice.server, path, FORM, f"Cookie: {cookies}", length=MAX_FORM_BYTES) as wire:
        wire.sendall(b"x" * MAX_FORM_BYTES)
        assert read_response(wire)[0] == 400  # the CSRF token is missing


@pytest.mark.parametrize("length", [MAX_PUBLIC_FORM_BYTES + 1, None], ids=["announced", "chunked"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", SIGN_IN),
        ("POST", "/console/account/forgotten"),
        ("POST", "/console/account/reset/nonsense"),
        ("POST", "/console/language"),
        ("GET", "/console/static/app.css"),
    ],
)
def test_a_form_of_a_page_without_a_session_is_tiny(
    alice: TestOrganization, method: str, path: str, length: int | None
) -> None:
    with sending(alice.server, path, FORM, length=length, method=method) as wire:
        if length is None:
            send_chunks(wire, MAX_PUBLIC_FORM_BYTES + 50_000)
        status, _, body = read_response(wire)
    assert status == 413
    assert b"too large" in body


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(("size", "is_accepted"), [(2_000_000, True), (4_900_000, True), (5_400_000, False)])
def test_a_flow_of_up_to_five_mebibytes_can_be_uploaded(
    alice: TestOrganization, size: int, is_accepted: bool, is_chunked: bool
) -> None:
    """A file that is accepted is read: it is no flow, and this is the error."""
    editor = create_user(alice.server, "editor@alice.example.org", Role.EDITOR, alice.slug)
    with editor.client:
        editor.sign_in()
        fields = {"csrf_token": editor.token(), "auth_method": "token", "place": str(Placement.COPY)}
        request = editor.client.build_request(
            "POST",
            f"{alice.server.url}/console/organizations/alice/use-in-glific/convert",
            data=fields,
            files={"flow": ("flow.json", b" " * size)},
        )
        if is_chunked:
            content = request.read()
            request = editor.client.build_request(
                "POST",
                request.url,
                content=(content[at : at + 50_000] for at in range(0, len(content), 50_000)),
                headers={"content-type": request.headers["content-type"]},
            )
        answer = editor.client.send(request)
    assert answer.status_code == 422
    assert ("larger than 5 MiB" in file_error(answer)) is not is_accepted


def test_a_sign_in_that_arrives_in_parts_is_one_attempt(alice: TestOrganization) -> None:
    """Five failed attempts in a minute are allowed."""
    person = create_user(alice.server, "owner@alice.example.org", Role.OWNER, alice.slug)
    with person.client:
        for password in ["wrong"] * 4 + [PASSWORD]:
            form = urlencode({"csrf_token": person.token(), "email": person.email, "password": password}).encode()
            cookies = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
            with sending(alice.server, SIGN_IN, FORM, f"Cookie: {cookies}", length=len(form)) as wire:
                wire.sendall(form[:5])
                time.sleep(0.1)
                wire.sendall(form[5:])
                status, _, _ = read_response(wire)
            assert status == (302 if password == PASSWORD else 422)


def test_a_sign_in_page_does_nothing_before_the_whole_form_has_arrived(
    alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would refuse the attempt, because all password checks are in use."""
    monkeypatch.setattr(login_throttle, "SLOT_TIMEOUT_SECONDS", 0.1)
    no_slot = FairSemaphore(0, max_waiting=1, max_waiting_of_group=1)
    monkeypatch.setattr(login_throttle, "other_slot", no_slot)
    with sending(alice.server, SIGN_IN, FORM, length=3) as wire:
        wire.sendall(b"a=")
        wire.settimeout(1)
        with pytest.raises(TimeoutError):
            wire.recv(1)
        wire.settimeout(TIMEOUT_SECONDS)
        wire.sendall(b"b")
        assert read_response(wire)[0] == 429


def test_what_a_stranger_has_sent_is_not_kept_after_the_response(alice: TestOrganization) -> None:
    with sending(alice.server, WEBHOOK.format(slug="alice"), length=MAX_BODY_BYTES) as wire:
        wire.sendall(b"x" * 50_000)
        assert read_response(wire)[0] == 401
        connections = [thing for thing in gc.get_objects() if isinstance(thing, HttpProtocol) and thing.cycle]
        assert connections
        assert [connection.cycle.body for connection in connections if connection.cycle.body] == []


def test_what_a_call_has_sent_is_not_kept_after_its_response(alice: TestOrganization) -> None:
    require_ok(alice.ask())
    wait_until(lambda: not _requests_in_memory(alice.server))


def _requests_in_memory(server: RunningServer) -> list[Request]:
    gc.collect()
    requests = (thing for thing in gc.get_objects() if isinstance(thing, Request))
    return [request for request in requests if request.environ["SERVER_PORT"] == str(urlsplit(server.url).port)]


class SlowBody:
    """A body whose first part has arrived."""

    def __init__(self, size: int) -> None:
        self.parts = [{"type": "http.request", "body": bytes(size), "more_body": True}]

    async def receive(self) -> dict[str, Any]:
        while not self.parts:
            await asyncio.sleep(0.01)
        return self.parts.pop(0)

    def complete(self) -> None:
        self.parts.append({"type": "http.request", "body": b"!", "more_body": False})


def test_the_memory_of_bodies_that_arrive_slowly_is_limited() -> None:
    """The oldest body is given up, and a newer one is read."""

    async def read_three() -> list[bytes | None]:
        reader, bodies = BodyReader(25), [SlowBody(10) for _ in range(3)]
        tasks = [asyncio.create_task(reader.read({}, body.receive, 100, "")) for body in bodies]
        await asyncio.wait(tasks[:1], timeout=TIMEOUT_SECONDS)
        for body in bodies:
            body.complete()
        results = await asyncio.gather(*tasks)
        assert reader._bytes == 0
        return results

    assert asyncio.run(read_three()) == [None, bytes(10) + b"!", bytes(10) + b"!"]


def test_beyond_the_limit_the_client_with_the_most_bytes_loses_its_oldest_body() -> None:
    async def read_three() -> list[bytes | None]:
        reader = BodyReader(30)
        bodies = [SlowBody(size) for size in (15, 10, 10)]
        names = ["other", "many", "many"]
        tasks = [
            asyncio.create_task(reader.read({}, body.receive, 100, name))
            for body, name in zip(bodies, names, strict=True)
        ]
        await asyncio.wait(tasks[1:2], timeout=TIMEOUT_SECONDS)
        for body in bodies:
            body.complete()
        results = await asyncio.gather(*tasks)
        assert (reader._bytes, reader._bytes_by_client, reader._arriving) == (0, {}, {})
        return results

    assert asyncio.run(read_three()) == [bytes(15) + b"!", None, bytes(10) + b"!"]


def test_slow_bodies_of_one_client_do_not_end_an_older_upload_of_another(alice: TestOrganization) -> None:
    path, headers = "/api/v1/organizations/alice", api_headers(alice)
    content = b'{"name": "Changed"}'.ljust(MAX_BODY_BYTES // 2)
    with ExitStack() as stack:
        upload = stack.enter_context(sending(alice.server, path, *headers, length=len(content), method="PATCH"))
        upload.sendall(content[:-1])
        for _ in range(MAX_ARRIVING_PAGE_BYTES // MAX_BODY_BYTES + 2):
            slow = sending(alice.server, path, *headers, length=MAX_BODY_BYTES, method="PATCH", source="127.0.0.2")
            wire = stack.enter_context(slow)
            wire.sendall(b" " * (MAX_BODY_BYTES - 1))
        time.sleep(0.5)
        upload.sendall(content[-1:])
        assert read_response(upload)[0] == 200


def test_a_body_that_was_given_up_is_not_counted_again_when_more_of_it_arrives() -> None:
    async def read_two() -> list[bytes | None]:
        reader = BodyReader(25)
        packets: list[asyncio.Queue[dict[str, Any]]] = [asyncio.Queue(), asyncio.Queue()]
        tasks = [asyncio.create_task(reader.read({}, each.get, 100, "")) for each in packets]
        packets[0].put_nowait({"type": "http.request", "body": bytes(20), "more_body": True})
        for _ in range(3):
            await asyncio.sleep(0)
        # The second one exceeds the limit, and more of the first one is ready before its task can be ended.
        packets[1].put_nowait({"type": "http.request", "body": bytes(10), "more_body": True})
        packets[0].put_nowait({"type": "http.request", "body": bytes(30), "more_body": True})
        for _ in range(5):
            await asyncio.sleep(0)
        packets[1].put_nowait({"type": "http.request", "body": b"!", "more_body": False})
        results = await asyncio.gather(*tasks)
        assert reader._bytes == 0
        return results

    assert asyncio.run(read_two()) == [None, bytes(10) + b"!"]
