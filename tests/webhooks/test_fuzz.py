"""Anything at all is thrown at the webhook: it always answers one JSON object of the contract, in time.

Eight seconds by default. FUZZ_SECONDS sets another time, FUZZ_DATABASE=postgresql the other database, and
FUZZ_SEED repeats the calls of an earlier run.
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
from hypothesis import HealthCheck, Phase, given, note, seed
from hypothesis import settings as hypothesis_settings

from glific_gpt.glific.variables import find_unresolved
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import run_server_processes
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.strategies import GeneratedRequest, generated_requests

pytestmark = pytest.mark.fuzz

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS", "8"))
DATABASE = os.environ.get("FUZZ_DATABASE", "sqlite")
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().getrandbits(32)))
CALLS_PER_ROUND = 200
"""Calls between two looks at the clock."""

PHRASE = "correct horse battery staple"
GLIFIC_TIMEOUT_SECONDS = 5.0
"""Seconds."""

UNEXPECTED_CODES = {"upstream_error", "overloaded"}
"""OpenAI is well, and calls come one by one: who hears this has hit on a failure of ours."""


@pytest.mark.parametrize("database_url", [DATABASE], indirect=True)
@pytest.mark.timeout(FUZZ_SECONDS + 120)
def test_it_answers_any_request_as_documented(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    openai.always(echo())
    with run_server_processes(tmp_path / "log", database_url=database_url, openai_base_url=openai.base_url) as server:
        alice = server.add_organization("alice")
        alice.set_phrase(PHRASE)
        codes = run_rounds(alice)
    with capsys.disabled():
        print(f"\n{codes.total()} calls on {DATABASE}, seed {SEED}: {dict(codes.most_common())}")  # noqa: T201
    assert codes.keys() > {"ok", "unauthorized", "invalid_json", "invalid_field", "method_not_allowed"}
    assert not codes.keys() & UNEXPECTED_CODES
    assert "Traceback" not in server.program.errors


def run_rounds(alice: TestOrganization) -> Counter[str]:
    """Rounds with a seed each until the time is over; how often each code was answered."""
    until, number = time.monotonic() + FUZZ_SECONDS, SEED
    codes: Counter[str] = Counter()
    # Without keep-alive: a server may close a connection whose request it has not read to the end.
    with httpx2.Client(timeout=20, limits=httpx2.Limits(max_keepalive_connections=0)) as client:
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
    def call(sent: GeneratedRequest) -> None:
        # schemathesis, which pytest loads too, takes the values out of Hypothesis's own report.
        note(repr(sent))
        codes[send(client, alice, sent)] += 1

    return call


def send(client: httpx2.Client, alice: TestOrganization, sent: GeneratedRequest) -> str:
    """The code of the answer, whose shape is right."""
    url = f"{alice.server.url}/webhooks/{sent.slug}/{sent.function}{sent.query}"
    body = sent.content()
    before = time.monotonic()
    reply = client.request(
        sent.method, url, content=body, headers=create_authentication_headers(alice, sent.by, body) | sent.headers
    )
    assert time.monotonic() - before < GLIFIC_TIMEOUT_SECONDS
    if reply.status_code == 200:
        require_sendable(require_ok(reply))
    else:
        require_error(reply, get_code(reply))
    return get_code(reply)


def create_authentication_headers(alice: TestOrganization, by: str, body: bytes) -> dict[bytes, bytes]:
    found = {}
    if by in {"token", "both"}:
        found[b"Authorization"] = f"Bearer {alice.token}".encode()
    if by in {"signature", "both"}:
        moment = int(time.time())
        digest = hmac.new(PHRASE.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        found[b"X-Glific-Signature"] = f"t={moment},v1={digest}".encode()
    return found


def require_sendable(message: object) -> None:
    if isinstance(message, str):
        assert message.strip()
        assert len(message) <= 4096
        assert "<%" not in message
        assert not find_unresolved(message)
