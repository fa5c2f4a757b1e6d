"""A scenario of two organizations that uses every kind of secret and personal data at least once."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tests.console.invitations import find_link
from tests.console.users import create_user
from tests.support import http
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, close_connection, refuse_key, send_html
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import ServerProcesses

QUESTION = "मलेरिया के लक्षण क्या हैं"
ANSWER = "Bukhaar-aur-thandak"
TIMEOUT_SECONDS = 20


@dataclass
class Scenario:
    """The secrets that the server received, and the responses that must not contain them."""

    server: ServerProcesses
    openai: OpenAIStandIn
    glific: GlificStandIn
    secrets: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)

    def secret(self, value: str) -> str:
        self.secrets.append(value)
        return value

    def key(self) -> str:
        """Return a new API key, of which neither the whole nor the middle may appear."""
        key = f"sk-proj-{secrets.token_hex(24)}"
        self.secret(key[8:30])
        return self.secret(key)

    def account(self) -> tuple[str, str]:
        """Create an account at Glific and return its phone and password."""
        phone, password = self.secret(f"1555{secrets.randbelow(10**7):07}"), self.secret(secrets.token_urlsafe())
        self.glific.accounts[phone] = password
        return phone, password

    def flask(self, *args: str, stdin: str = "") -> Any:
        result = self.server.app.test_cli_runner().invoke(args=[*args, "--json"], input=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def api(self, method: str, path: str, token: str, body: Any = None) -> Any:
        reply = http.request(
            method,
            f"{self.server.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
        )
        assert reply.is_success, reply.text
        return reply.json()

    def ask(self, slug: str, body: Any, headers: dict[str, str]) -> int:
        """Call the webhook and return the status."""
        url = f"{self.server.url}/webhooks/{slug}/parse_via_chat_gpt"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return http.post(url, content=content, headers=headers, timeout=TIMEOUT_SECONDS).status_code


def run_scenario(scenario: Scenario) -> None:
    """Run the whole scenario."""
    alice = _create_alice_by_commands(scenario)
    bob = _create_bob_by_api(scenario)
    for slug, token in (("alice", alice), ("bob", bob)):
        _good_calls(scenario, slug, token)
        _bad_calls(scenario, slug, token)
    _signed_calls(scenario)
    _waiting_email(scenario)
    _broken_calls(scenario, alice)


def _create_alice_by_commands(scenario: Scenario) -> str:
    token = scenario.secret(scenario.flask("organizations", "create", "alice", "--name", "Alice")["webhook_token"])
    saved = scenario.flask("credentials", "set", "alice", "open_ai", "--api-key-stdin", stdin=scenario.key())
    scenario.flask("signature", "set", "alice", "--phrase-stdin", stdin=scenario.secret("a phrase of alice and glific"))
    phone, password = scenario.account()
    connect = ("glific", "connect", "alice", "--api-url", scenario.glific.url, "--phone", phone, "--password-stdin")
    scenario.responses += [
        str(saved),
        str(scenario.flask(*connect, stdin=password)),
        str(scenario.flask("glific", "show", "alice")),
        str(scenario.flask("credentials", "show", "alice")),
        str(scenario.flask("tokens", "list", "alice")),
    ]
    return token


def _create_bob_by_api(scenario: Scenario) -> str:
    admin = scenario.secret(scenario.flask("api-tokens", "create", "--label", "admin")["token"])
    created = scenario.api("POST", "organizations", admin, {"slug": "bob", "name": "Bob"})
    scenario.secret(created["webhook_token"])
    own = scenario.secret(scenario.flask("api-tokens", "create", "--label", "bob", "--organization", "bob")["token"])
    saved = scenario.api("PUT", "organizations/bob/credentials/open_ai", own, {"api_key": scenario.key()})
    phone, password = scenario.account()
    login = {"way": "api", "api_url": scenario.glific.url, "phone": phone, "password": password}
    scenario.responses.append(str(scenario.api("PUT", "organizations/bob/glific", own, login)))
    token = scenario.secret(scenario.api("POST", "organizations/bob/tokens", own, {"label": "second"})["token"])
    listed = [
        scenario.api("GET", f"organizations/bob{path}", own)
        for path in ("", "/tokens", "/credentials/open_ai", "/glific")
    ]
    scenario.responses += [str(saved), *map(str, listed), str(scenario.flask("api-tokens", "list"))]
    return token


def _body(scenario: Scenario, **more: Any) -> dict[str, Any]:
    contact = {"id": 21, "name": scenario.secret("Asha Devi"), "phone": scenario.secret("919876543210")}
    return {
        "question_text": scenario.secret(QUESTION),
        "prompt": scenario.secret("Speak-like-a-nurse"),
        "contact": contact | {"fields": {"village": scenario.secret("Rampur-Khurd")}},
        "results": {"earlier": scenario.secret("I-am-expecting-a-child")},
        **more,
    }


def _good_calls(scenario: Scenario, slug: str, token: str) -> None:
    scenario.openai.always(answer(scenario.secret(ANSWER)))
    headers = {"Authorization": f"Bearer {token}"}
    assert scenario.ask(slug, _body(scenario), headers) == 200
    for _ in range(2):
        repeated = headers | {"Idempotency-Key": scenario.secret(f"idempotency-key-of-{slug}")}
        assert scenario.ask(slug, _body(scenario), repeated) == 200


def _bad_calls(scenario: Scenario, slug: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    scenario.openai.will(
        refuse_key(), send_html(502), send_html(502), send_html(502), send_html(502), close_connection()
    )
    assert scenario.ask(slug, _body(scenario), headers) == 502
    assert scenario.ask(slug, _body(scenario), headers) == 502
    scenario.openai.reset()
    assert scenario.ask(slug, b'{"question_text": "%s' % QUESTION.encode(), headers) == 400
    assert scenario.ask(slug, _body(scenario, temperature=scenario.secret("hot-and-spicy")), headers) == 422
    assert scenario.ask(slug, _body(scenario, question_text="@results.a-private-name"), headers) == 422
    wrong = scenario.secret(f"ggw_{secrets.token_urlsafe(32)}")
    assert scenario.ask(slug, _body(scenario), {"Authorization": f"Bearer {wrong}"}) == 401


def _signed_calls(scenario: Scenario) -> None:
    body, moment = json.dumps(_body(scenario)).encode(), int(time.time())
    for phrase, status in ((b"a phrase of alice and glific", 200), (b"some other phrase", 401)):
        digest = hmac.new(phrase, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        header = {"X-Glific-Signature": f"t={moment},v1={scenario.secret(digest)}"}
        assert scenario.ask("alice", body, header) == status


def _waiting_email(scenario: Scenario) -> None:
    """Invite a member by e-mail. The mail server is down, so that the e-mail with the link waits."""
    person = create_user(scenario.server, "admin@example.org")
    with person.client:
        assert person.sign_in().status_code == 302
        answer = person.post("/console/organizations/alice/members", {"email": "ravi@example.org", "role": "viewer"})
    assert "on its way by e-mail" in answer.text
    scenario.secret(find_link(answer).rpartition("/")[2])


def _broken_calls(scenario: Scenario, token: str) -> None:
    """Make calls while a table is missing. Unexpected errors are logged in more detail."""
    engine = sa.create_engine(scenario.server.app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE stored_replies RENAME TO gone"))
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": scenario.secret("a-key-for-nothing")}
    assert scenario.ask("alice", _body(scenario), headers) in (502, 503)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE gone RENAME TO stored_replies"))
    engine.dispose()
