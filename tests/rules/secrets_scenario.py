"""A life of two organizations on a server in which every secret and every personal word is used at least once."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
import sqlalchemy as sa

from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, close_connection, refuse_key, send_html
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import ServerProcesses

QUESTION = "मलेरिया के लक्षण क्या हैं"
ANSWER = "Bukhaar-aur-thandak"
TIMEOUT_SECONDS = 20


@dataclass
class Scenario:
    """What was told to the server and must stay with it, and what it said to those who may not know all of that."""

    server: ServerProcesses
    openai: OpenAIStandIn
    glific: GlificStandIn
    secrets: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def secret(self, value: str) -> str:
        self.secrets.append(value)
        return value

    def key(self) -> str:
        """A new API key, of which neither the whole nor the middle may be seen."""
        key = f"sk-proj-{secrets.token_hex(24)}"
        self.secret(key[8:30])
        return self.secret(key)

    def account(self) -> tuple[str, str]:
        """A new login at Glific: phone and password."""
        phone, password = self.secret(f"1555{secrets.randbelow(10**7):07}"), self.secret(secrets.token_urlsafe())
        self.glific.accounts[phone] = password
        return phone, password

    def flask(self, *args: str, stdin: str = "") -> Any:
        done = self.server.app.test_cli_runner().invoke(args=[*args, "--json"], input=stdin)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def api(self, method: str, path: str, token: str, body: Any = None) -> Any:
        reply = httpx2.request(
            method,
            f"{self.server.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
        )
        assert reply.is_success, reply.text
        return reply.json()

    def ask(self, slug: str, body: Any, headers: dict[str, str]) -> int:
        """The status of a webhook's answer."""
        url = f"{self.server.url}/webhooks/{slug}/parse_via_chat_gpt"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.post(url, content=content, headers=headers, timeout=TIMEOUT_SECONDS).status_code


def run_scenario(life: Scenario) -> None:
    """All of it."""
    alice = _create_alice_by_commands(life)
    bob = _create_bob_by_api(life)
    for slug, token in (("alice", alice), ("bob", bob)):
        _good_calls(life, slug, token)
        _bad_calls(life, slug, token)
    _signed_calls(life)
    _broken_calls(life, alice)


def _create_alice_by_commands(life: Scenario) -> str:
    token = life.secret(life.flask("organizations", "create", "alice", "--name", "Alice")["webhook_token"])
    saved = life.flask("credentials", "set", "alice", "open_ai", "--api-key-stdin", stdin=life.key())
    life.flask("signature", "set", "alice", "--phrase-stdin", stdin=life.secret("a phrase of alice and glific"))
    phone, password = life.account()
    connect = ("glific", "connect", "alice", "--api-url", life.glific.url, "--phone", phone, "--password-stdin")
    life.seen += [
        str(saved),
        str(life.flask(*connect, stdin=password)),
        str(life.flask("glific", "show", "alice")),
        str(life.flask("credentials", "show", "alice")),
        str(life.flask("tokens", "list", "alice")),
    ]
    return token


def _create_bob_by_api(life: Scenario) -> str:
    admin = life.secret(life.flask("api-tokens", "create", "--label", "admin")["token"])
    created = life.api("POST", "organizations", admin, {"slug": "bob", "name": "Bob"})
    life.secret(created["webhook_token"])
    own = life.secret(life.flask("api-tokens", "create", "--label", "bob", "--organization", "bob")["token"])
    saved = life.api("PUT", "organizations/bob/credentials/open_ai", own, {"api_key": life.key()})
    phone, password = life.account()
    login = {"way": "api", "api_url": life.glific.url, "phone": phone, "password": password}
    life.seen.append(str(life.api("PUT", "organizations/bob/glific", own, login)))
    token = life.secret(life.api("POST", "organizations/bob/tokens", own, {"label": "second"})["token"])
    listed = [
        life.api("GET", f"organizations/bob{path}", own) for path in ("", "/tokens", "/credentials/open_ai", "/glific")
    ]
    life.seen += [str(saved), *map(str, listed), str(life.flask("api-tokens", "list"))]
    return token


def _body(life: Scenario, **more: Any) -> dict[str, Any]:
    contact = {"id": 21, "name": life.secret("Asha Devi"), "phone": life.secret("919876543210")}
    return {
        "question_text": life.secret(QUESTION),
        "prompt": life.secret("Speak-like-a-nurse"),
        "contact": contact | {"fields": {"village": life.secret("Rampur-Khurd")}},
        "results": {"earlier": life.secret("I-am-expecting-a-child")},
        **more,
    }


def _good_calls(life: Scenario, slug: str, token: str) -> None:
    life.openai.always(answer(life.secret(ANSWER)))
    headers = {"Authorization": f"Bearer {token}"}
    assert life.ask(slug, _body(life), headers) == 200
    for _ in range(2):
        repeated = headers | {"Idempotency-Key": life.secret(f"idempotency-key-of-{slug}")}
        assert life.ask(slug, _body(life), repeated) == 200


def _bad_calls(life: Scenario, slug: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    life.openai.will(refuse_key(), send_html(502), send_html(502), send_html(502), send_html(502), close_connection())
    assert life.ask(slug, _body(life), headers) == 502
    assert life.ask(slug, _body(life), headers) == 502
    life.openai.reset()
    assert life.ask(slug, b'{"question_text": "%s' % QUESTION.encode(), headers) == 400
    assert life.ask(slug, _body(life, temperature=life.secret("hot-and-spicy")), headers) == 422
    assert life.ask(slug, _body(life, question_text="@results.a-private-name"), headers) == 422
    wrong = life.secret(f"ggw_{secrets.token_urlsafe(32)}")
    assert life.ask(slug, _body(life), {"Authorization": f"Bearer {wrong}"}) == 401


def _signed_calls(life: Scenario) -> None:
    body, moment = json.dumps(_body(life)).encode(), int(time.time())
    for phrase, status in ((b"a phrase of alice and glific", 200), (b"some other phrase", 401)):
        digest = hmac.new(phrase, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        header = {"X-Glific-Signature": f"t={moment},v1={life.secret(digest)}"}
        assert life.ask("alice", body, header) == status


def _broken_calls(life: Scenario, token: str) -> None:
    """A table is gone, which nobody thinks of: the log gets more than usual."""
    engine = sa.create_engine(life.server.app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE stored_replies RENAME TO gone"))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": life.secret("a-key-for-nothing")}
    assert life.ask("alice", _body(life), headers) in (502, 503)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO stored_replies"))
    engine.dispose()
