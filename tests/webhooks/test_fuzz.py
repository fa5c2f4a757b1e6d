"""The webhook answers any generated request in time, with one JSON object of the contract.

The test runs for three seconds. FUZZ_SECONDS sets another time, FUZZ_DATABASE=postgresql selects the other
database, and FUZZ_SEED repeats the calls of an earlier run.
"""

import hashlib
import hmac
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from glific_gpt.flows.suspicious_code import find_suspicious_code
from glific_gpt.flows.variables import find_unresolved
from tests.support import http
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import run_server_processes
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.strategies import GeneratedRequest, generated_requests

pytestmark = pytest.mark.fuzz

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
DATABASE = os.environ.get("FUZZ_DATABASE", "sqlite")
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().getrandbits(32)))
CALLS_PER_ROUND = 200
"""Number of calls between two checks of the elapsed time."""

PHRASE = "correct horse battery staple"
GLIFIC_TIMEOUT_SECONDS = 5.0
"""The time that Glific waits for a reply."""

UNEXPECTED_CODES = {"upstream_error", "overloaded"}
"""Codes that mean a defect of the server, because OpenAI works and calls are made one by one."""


@pytest.mark.parametrize("database_url", [DATABASE], indirect=True)
@pytest.mark.timeout(FUZZ_SECONDS + 120)
def test_it_answers_any_request_as_documented(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    openai.always(echo())
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url
    ) as server:
        alice = server.add_organization("alice")
        alice.set_phrase(PHRASE)
        codes = run_rounds(alice)
    with capsys.disabled():
        print(f"\n{codes.total()} calls on {DATABASE}, seed {SEED}: {dict(codes.most_common())}")  # noqa: T201
    assert codes.keys() > {"ok", "unauthorized", "invalid_json", "invalid_field", "method_not_allowed"}
    assert not codes.keys() & UNEXPECTED_CODES
    assert "Traceback" not in server.program.errors


def run_rounds(alice: TestOrganization) -> Counter[str]:
    """Run rounds with one seed each until the time is over. Returns the number of replies by code."""
    until, number = time.monotonic() + FUZZ_SECONDS, SEED
    codes: Counter[str] = Counter()
    # No keep-alive, because a server may close a connection without reading the whole request.
    with http.Client(timeout=20, limits=httpx2.Limits(max_keepalive_connections=0)) as client:
        while time.monotonic() < until:
            seed(number)(create_round(client, alice, codes))()
            number += 1
    return codes


def create_round(client: httpx2.Client, alice: TestOrganization, codes: Counter[str]) -> Callable[[], None]:
    @hypothesis_settings(
        max_examples=CALLS_PER_ROUND,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(generated_requests)
    def call(request: GeneratedRequest) -> None:
        codes[send(client, alice, request)] += 1

    return call


def send(client: httpx2.Client, alice: TestOrganization, request: GeneratedRequest) -> str:
    """Send a request, and require a reply of the contract in time. Returns its code."""
    url = f"{alice.server.url}/webhooks/{request.slug}/{request.function}{request.query}"
    body = request.content()
    started = time.monotonic()
    reply = client.request(
        request.method,
        url,
        content=body,
        headers=create_authentication_headers(alice, request.authentication, body) | request.headers,
    )
    assert time.monotonic() - started < GLIFIC_TIMEOUT_SECONDS
    if reply.status_code == 200:
        require_sendable(require_ok(reply))
    else:
        require_error(reply, get_code(reply))
    return get_code(reply)


def create_authentication_headers(alice: TestOrganization, authentication: str, body: bytes) -> dict[bytes, bytes]:
    headers = {}
    if authentication in {"token", "both"}:
        headers[b"Authorization"] = f"Bearer {alice.token}".encode()
    if authentication in {"signature", "both"}:
        timestamp = int(time.time())
        digest = hmac.new(PHRASE.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers[b"X-Glific-Signature"] = f"t={timestamp},v1={digest}".encode()
    return headers


def require_sendable(message: object) -> None:
    if isinstance(message, str):
        assert message.strip()
        assert len(message) <= 4095
        assert "<%" not in message
        assert not find_unresolved(message)
        assert not find_suspicious_code(message)
