"""Authentication by Glific's signature over the raw bytes of the body, which is valid for 15 minutes."""

import hmac
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import time_machine
from cryptography.fernet import Fernet

from glific_gpt.calls import tenant as tenants
from glific_gpt.glific.signature import DUMMY_PHRASE, sign
from glific_gpt.runtime.cpu_bound import LARGE_CHARACTERS
from glific_gpt.vault import Vault
from tests.conftest import StartServer
from tests.support import http
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization
from tests.webhooks.assertions import require_error, require_ok

PHRASE = "नमस्ते, a phrase that only Glific knows"
BODY = '{"question_text":"क्या है ORS?", "results": {} }'.encode()
MINUTE_SECONDS = 60


def post_signed(
    organization: TestOrganization,
    body: bytes = BODY,
    *,
    phrase: str = PHRASE,
    age_seconds: int = 0,
    sent: bytes | None = None,
    **headers: str,
) -> httpx2.Response:
    """Call as Glific does, without a token. `sent` replaces the body after it was signed."""
    signature = {"X-Glific-Signature": sign(phrase, body, int(time.time()) - age_seconds)}
    all_headers = signature | {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(organization.url, content=body if sent is None else sent, headers=all_headers, timeout=20)


@pytest.fixture
def alice_with_phrase(alice: TestOrganization) -> TestOrganization:
    alice.set_phrase(PHRASE)
    return alice


def test_a_signature_is_accepted_with_any_content_type(
    alice_with_phrase: TestOrganization, openai: OpenAIStandIn
) -> None:
    types = (
        "application/json",
        "application/octet-stream",
        "text/plain; charset=utf-16",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
    )
    require_ok(post_signed(alice_with_phrase))
    for number, content_type in enumerate(types):
        body = json.dumps({"question_text": f"क्या है {number}?"}, ensure_ascii=False).encode()
        require_ok(post_signed(alice_with_phrase, body, Content_Type=content_type))
        assert openai.requests[-1].question == f"क्या है {number}?"


def test_a_signature_made_by_glific_is_accepted(alice: TestOrganization) -> None:
    body = (
        b'{"contact":{"fields":{},"id":21,"name":"Asha","phone":"919876543210"},"gpt_model":"gpt-4o-mini",'
        b'"organization_id":1,"prompt":"Answer briefly.","question_text":"What is ORS?","results":{}}'
    )
    header = "t=1719400000,v1=c21c94691f7dddecefe92f0cf4c8a9d29c317956e81b80337b5b818224ed6433"
    alice.set_phrase("Super Secret")
    with time_machine.travel(datetime.fromtimestamp(1719400000 + MINUTE_SECONDS, UTC)):
        require_ok(http.post(alice.url, content=body, headers={"X-Glific-Signature": header}, timeout=20))


@pytest.mark.parametrize("minutes", [14, -14])
def test_a_signature_within_14_minutes_is_accepted(alice_with_phrase: TestOrganization, minutes: int) -> None:
    require_ok(post_signed(alice_with_phrase, age_seconds=minutes * MINUTE_SECONDS))


@pytest.mark.parametrize("minutes", [16, -16, 60 * 24 * 365])
def test_a_signature_beyond_15_minutes_is_unauthorized(alice_with_phrase: TestOrganization, minutes: int) -> None:
    require_error(post_signed(alice_with_phrase, age_seconds=minutes * MINUTE_SECONDS), "unauthorized")


def test_a_wrong_signature_is_unauthorized(
    alice_with_phrase: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    bob.set_phrase("bob's own phrase")
    same_meaning = json.dumps(json.loads(BODY)).encode()
    for name, reply in {
        "another phrase": post_signed(alice_with_phrase, phrase="another phrase"),
        "bob's phrase": post_signed(alice_with_phrase, phrase="bob's own phrase"),
        "Glific's dummy": post_signed(alice_with_phrase, phrase=DUMMY_PHRASE),
        "no phrase": post_signed(alice_with_phrase, phrase=""),
        "a changed byte": post_signed(alice_with_phrase, sent=BODY.replace(b"ORS", b"OR5")),
        "one space more": post_signed(alice_with_phrase, sent=BODY + b" "),
        "another serialization": post_signed(alice_with_phrase, sent=same_meaning),
        "no body": post_signed(alice_with_phrase, sent=b""),
        "alice's at bob's": post_signed(bob),
    }.items():
        assert reply.status_code == 401, name
        require_error(reply, "unauthorized")
    assert openai.requests == []


class Work:
    """Counts the steps of the authentication that take time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.body = b""
        self.steps: Counter[str] = Counter()
        self._count(monkeypatch, hmac.HMAC, "update", lambda arguments: arguments[1] == self.body)
        self._count(monkeypatch, Vault, "decrypt", lambda _: True)
        self._count(monkeypatch, tenants, "find_tenant", lambda _: True)

    def _count(
        self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, is_counted: Callable[[tuple[Any, ...]], bool]
    ) -> None:
        function = getattr(owner, name)

        def counted(*arguments: Any) -> Any:
            self.steps[name] += is_counted(arguments)
            return function(*arguments)

        monkeypatch.setattr(owner, name, counted)

    def of_forged_call(self, server: RunningServer, slug: str, body: bytes, *, pauses: bool) -> dict[str, int]:
        """Call with a signature under a wrong phrase, and return the steps. The body may arrive after the head."""
        self.body = body
        self.steps.clear()
        address = urlsplit(server.url)
        head = f"POST /webhooks/{slug}/parse_via_chat_gpt HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
        signature = sign("a guess", body, int(time.time()))
        with socket.create_connection((str(address.hostname), address.port), TIMEOUT_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(
                f"{head}\r\nX-Glific-Signature: {signature}\r\n\r\n".encode() + body[: -1 if pauses else None]
            )
            if pauses:
                time.sleep(0.1)
                connection.sendall(body[-1:])
            assert connection.recv(12) == b"HTTP/1.1 401"
        return dict(self.steps)


@pytest.mark.parametrize("pauses", [False, True])
@pytest.mark.parametrize("length", [100, 2 * LARGE_CHARACTERS])
def test_a_forged_signature_takes_the_same_steps_for_every_name(
    alice_with_phrase: TestOrganization,
    bob: TestOrganization,
    monkeypatch: pytest.MonkeyPatch,
    length: int,
    *,
    pauses: bool,
) -> None:
    """Otherwise the time of the answer would tell strangers which organizations exist and use signatures."""
    server = bob.server
    server.add_organization("carol").set_phrase("a phrase that has signed no call of this process")
    require_ok(post_signed(alice_with_phrase))
    require_ok(bob.ask())
    work = Work(monkeypatch)
    steps = {
        slug: work.of_forged_call(server, slug, BODY.ljust(length), pauses=pauses)
        for slug in ("alice", "bob", "carol", "unknown")
    }
    assert steps == {slug: {"update": 2, "decrypt": 1, "find_tenant": 1} for slug in steps}


def test_a_malformed_signature_is_unauthorized(alice_with_phrase: TestOrganization) -> None:
    header = sign(PHRASE, BODY, int(time.time()))
    t, v1 = header.split(",")
    for mangled in (
        f"{t},v1={v1[3:].upper()}",
        f"{t}, {v1}",
        f"{v1},{t}",
        t,
        v1,
        f"{header},{v1}",
        f"{t},v0={v1[3:]}",
        "",
        f"{header},",
    ):
        reply = http.post(alice_with_phrase.url, content=BODY, headers={"X-Glific-Signature": mangled}, timeout=20)
        assert reply.status_code == 401, mangled


def test_a_dummy_signature_is_refused_if_no_phrase_is_set(alice: TestOrganization) -> None:
    require_error(post_signed(alice, phrase=DUMMY_PHRASE), "unauthorized")
    require_error(post_signed(alice, phrase=""), "unauthorized")


def test_a_token_with_a_dummy_signature_is_accepted(alice: TestOrganization) -> None:
    require_ok(post_signed(alice, phrase=DUMMY_PHRASE, Authorization=f"Bearer {alice.token}"))


def test_a_required_signature_is_necessary_and_sufficient(
    alice_with_phrase: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice_with_phrase.change(require_signature=True)
    token = f"Bearer {alice_with_phrase.token}"
    require_error(alice_with_phrase.ask(), "unauthorized")
    require_error(post_signed(alice_with_phrase, phrase="another phrase", Authorization=token), "unauthorized")
    require_error(post_signed(alice_with_phrase, age_seconds=16 * MINUTE_SECONDS, Authorization=token), "unauthorized")
    assert openai.requests == []
    require_ok(post_signed(alice_with_phrase))
    require_ok(post_signed(alice_with_phrase, b'{"question_text": "And zinc?"}', Authorization="Bearer wrong"))


def test_a_required_signature_without_a_phrase_refuses_every_call(alice: TestOrganization) -> None:
    alice.change(require_signature=True)
    require_error(alice.ask(), "unauthorized")
    require_error(post_signed(alice), "unauthorized")
    require_error(post_signed(alice, phrase=DUMMY_PHRASE), "unauthorized")


def test_a_signature_is_checked_together_with_the_organizations_id(alice_with_phrase: TestOrganization) -> None:
    alice_with_phrase.change(glific_organization_id=7)
    require_ok(post_signed(alice_with_phrase, b'{"question_text": "Hi", "organization_id": 7}'))
    require_error(post_signed(alice_with_phrase, b'{"question_text": "Hi", "organization_id": 8}'), "unauthorized")


def test_a_new_phrase_applies_to_the_next_call(alice_with_phrase: TestOrganization) -> None:
    require_ok(post_signed(alice_with_phrase))
    alice_with_phrase.set_phrase("a new phrase")
    require_error(post_signed(alice_with_phrase, b'{"question_text": "Hi"}'), "unauthorized")
    require_ok(post_signed(alice_with_phrase, phrase="a new phrase"))


def test_a_phrase_that_cannot_be_decrypted_is_the_fault_of_the_server(
    alice_with_phrase: TestOrganization, start_server: StartServer
) -> None:
    other_server = start_server(encryption_keys=Fernet.generate_key().decode())
    other_alice = TestOrganization(other_server, "alice", alice_with_phrase.token, alice_with_phrase.key)
    for response in (post_signed(other_alice), other_alice.ask()):
        error = require_error(response, "not_ready")
        assert (response.status_code, error["error_class"]) == (503, "service")
        assert int(response.headers["Retry-After"]) > 0
    # The same for an organization that does not exist, whose signature may be as right.
    unknown = TestOrganization(other_server, "nobody", alice_with_phrase.token, alice_with_phrase.key)
    require_error(post_signed(unknown), "not_ready")
    require_error(http.post(unknown.url, json={}), "unauthorized")
