"""Calls of stand-ins for OpenAI that other people wrote, and that fail at random: every call gets a parsed_msg.

llmock is from PyPI (github.com/JulienRabault/LLMock), aimock from npm (github.com/CopilotKit/aimock).
"""

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import StartServer
from tests.support import http
from tests.support.platforms import skip_or_fail
from tests.support.programs import ROOT, TIMEOUT_SECONDS, free_port, start
from tests.support.server import TestOrganization
from tests.webhooks.assertions import ERROR_CODES, get_code, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LLMOCK = Path(sys.executable).with_name("llmock")
AIMOCK = ROOT / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"

STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)
LLMOCK_FAILURES = [f"--error-rate={status}=0.05" for status in STATUSES]
AIMOCK_FAILURES = [f"--chaos-{kind}=0.15" for kind in ("drop", "malformed", "disconnect", "ratelimit")]
FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "ORS"}, "response": {"content": "**Salt**, sugar and water."}},
        {"match": {"userMessage": "crop"}, "response": {"content": '```json\n{"crop": "millet"}\n```'}},
        {
            "match": {"userMessage": "credit"},
            "response": {"error": {"message": "No credit.", "type": "insufficient_quota"}, "status": 429},
        },
    ]
}
BODIES: tuple[dict[str, Any], ...] = (
    {"question_text": "What is ORS?"},
    {"question_text": "What is ORS?", "gpt_model": "gpt-5", "reasoning_effort": "low", "verbosity": "low"},
    {"question_text": "What is ORS?", "gpt_model": "gpt-5-pro", "prompt": "Be brief.", "max_tokens": 50},
    {"question_text": "Which crop?", "gpt_model": "gpt-4o-mini", "response_format": {"type": "json_object"}},
    {"question_text": "Is there credit?", "gpt_model": "o3"},
    {"question_text": "Nobody has prepared an answer to this.", "gpt_model": "gpt-4.1", "temperature": "0.5"},
)
ROUNDS = 10


@pytest.fixture(params=["llmock", "aimock"])
def upstream(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The base URL of a stand-in that answers about half of the requests."""
    _require(LLMOCK if request.param == "llmock" else AIMOCK)
    port = free_port()
    if request.param == "llmock":
        command = [str(LLMOCK), "serve", f"--port={port}", "--response-style=varied", *LLMOCK_FAILURES]
    else:
        (tmp_path / "fixtures.json").write_text(json.dumps(FIXTURES))
        node = shutil.which("node") or str(Path(sys.executable).with_name("node"))
        fixtures = tmp_path / "fixtures.json"
        command = [node, str(AIMOCK), f"--port={port}", f"--fixtures={fixtures}", *AIMOCK_FAILURES]
    with start(command, tmp_path / "upstream") as program:
        until = time.monotonic() + TIMEOUT_SECONDS
        while not _answers(port):
            assert program.process.poll() is None, program.errors
            assert time.monotonic() < until, program.errors
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"


def _require(program: Path) -> None:
    """Skip the test if the program is not installed, or fail in CI, which installs everything."""
    if not program.exists():
        skip_or_fail(f"{program.name} is not installed. Run make install.")


def _answers(port: int) -> bool:
    try:
        http.get(f"http://127.0.0.1:{port}/health", timeout=2)
    except httpx2.TransportError:
        return False
    return True


@pytest.fixture
def alice(start_server: StartServer, upstream: str) -> TestOrganization:
    return start_server(openai_base_url=upstream, openai_hosts="127.0.0.1").add_organization("alice")


def test_every_call_of_an_independent_upstream_gets_a_parsed_msg(alice: TestOrganization) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(alice.post, BODIES * ROUNDS))
    for reply in replies:
        body = reply.json()
        assert reply.status_code != 500, reply.text
        assert body["parsed_msg"] not in (None, "", [], {}), reply.text
        code = get_code(reply)
        if code == "ok":
            require_ok(reply)
        else:
            assert reply.status_code == ERROR_CODES[code][0], reply.text
    codes = Counter(map(get_code, replies))
    assert codes["ok"] > ROUNDS, codes
    assert len(codes) > 2, codes
    assert len(alice.calls()) == len(replies)


def test_an_independent_upstream_can_be_the_address_of_a_key(alice: TestOrganization, upstream: str) -> None:
    alice.set_key("a-key-of-this-server", base_url=upstream)
    replies = [alice.post(body) for body in BODIES * 2]
    codes = Counter(map(get_code, replies))
    assert codes["ok"], codes
    assert codes.keys() <= {"ok", *ERROR_CODES}
    assert all(call["cost_usd"] is None for call in alice.calls())
