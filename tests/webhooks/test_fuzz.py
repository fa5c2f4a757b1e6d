"""Anything at all is thrown at the webhook: it always answers one JSON object of the contract, in time.

Eight seconds by default. FUZZ_SECONDS sets another time, FUZZ_DATABASE=postgresql the other database, and
FUZZ_SEED repeats the calls of an earlier run.
"""

import hashlib
import hmac
import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.house import Ngo
from tests.support.openai_behaviours import echo
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import Served, served

SECONDS = float(os.environ.get("FUZZ_SECONDS", "8"))
DATABASE = os.environ.get("FUZZ_DATABASE", "sqlite")
SEED = int(os.environ.get("FUZZ_SEED", random.SystemRandom().getrandbits(32)))
A_ROUND = 200
"""Calls between two looks at the clock."""

PHRASE = "correct horse battery staple"
IN_TIME = 5.0
"""Seconds: Glific hangs up then."""

GOOD = {"success", "status", "parsed_msg", "model", "call_id"}
BAD = {"success", "status", "error_code", "error_class", "error", "parsed_msg", "call_id"}
CODES = {
    400: {"invalid_json"},
    401: {"unauthorized"},
    402: {"insufficient_quota", "budget_exceeded"},
    403: {"model_not_allowed", "organization_inactive"},
    404: {"unknown_function"},
    405: {"method_not_allowed"},
    409: {"credential_missing", "credential_inactive", "call_in_progress"},
    413: {"body_too_large"},
    422: {
        "empty_question",
        "invalid_field",
        "unresolved_variable",
        "model_not_text",
        "model_not_supported",
        "model_not_found",
        "glific_not_connected",
        "missing_flow_context",
    },
    429: {"rate_limited", "contact_limit"},
    502: {"invalid_api_key", "bad_upstream_reply", "empty_answer", "refused"},
    504: {"deadline_exceeded"},
}
"""What may come of a call. Not upstream_error nor overloaded: OpenAI is well here, and calls come one by one."""

FIELDS = (
    "question_text",
    "prompt",
    "gpt_model",
    "model",
    "temperature",
    "max_tokens",
    "response_format",
    "contact",
    "results",
    "flow_id",
    "contact_id",
    "organization_id",
    "result_name",
)


class Long(NamedTuple):
    """A long body, which is short in a report of what went wrong."""

    head: bytes = b""
    middle: bytes = b""
    times: int = 0
    tail: bytes = b""

    def whole(self) -> bytes:
        return self.head + self.middle * self.times + self.tail


# Text as JSON carries it: lone surrogates too, which json.dumps writes as escapes.
any_text = st.text(st.characters(codec=None))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)
strange = st.one_of(
    any_json,
    st.sampled_from(
        [
            *("", " ", "0", "-1", "1e999", "٣", "@results.gpt.parsed_msg", "@contact", "<%= 1 %>", "\x00", "\ud800"),
            *(0, -1, 2**63, 10**400, 1e308, True, [], {}, None),
            *("gpt-4o", "GPT-4O", "gpt-5-pro", "o3", "tts-1", "davinci-002", "ft:gpt-4o:ngo::1", "../../etc"),
            *({"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x"}}, {"type": "text"}),
            *({"id": "21"}, {"id": 2**70}, {"id": {}}, {"id": -1}),
        ]
    ),
)
near_valid = st.dictionaries(st.sampled_from(FIELDS), strange, max_size=5).map(
    lambda fields: {"question_text": "What is ORS?"} | fields
)
bodies = st.one_of(
    near_valid.map(lambda value: json.dumps(value).encode()),
    any_json.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"",
            Long(middle=b"[", times=100_000),
            Long(middle=b'{"question_text": ', times=20_000),
            Long(b'{"question_text": "', b"a", 1_100_000, b'"}'),
            Long(b'{"question_text": ', b"1", 10_000, b"}"),
            b'{"question_text": "a", "question_text": "b"}',
            b"\xef\xbb\xbf" + b'{"question_text": "a"}',
            '{"question_text": "a"}'.encode("utf-16"),
        ]
    ),
)

# RFC 9110, 5.5: what a field's value may hold.
header_text = st.binary(max_size=60).map(lambda some: bytes(byte for byte in some if byte >= 0x20 and byte != 0x7F))
header_texts = header_text.map(bytes.strip)
headers = st.dictionaries(
    st.sampled_from(
        [
            "Authorization",
            "X-Glific-Signature",
            "Idempotency-Key",
            "Content-Type",
            "Content-Encoding",
            "Accept",
            "Accept-Encoding",
            "Cookie",
            "X-Forwarded-For",
            "X-Forwarded-Prefix",
            "X-HTTP-Method-Override",
            "Range",
            "If-None-Match",
            "Expect-CT",
        ]
    ),
    header_texts
    | st.sampled_from(
        [
            *(b"", b"Bearer", b"bearer  x", b"Basic YTpi", b"t=1,v1=00", b"t=,v1=", b"t=9" + b"9" * 40),
            *(b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"),
            *(b"gzip", b"br", b"text/plain; charset=utf-7", b"a" * 4000),
        ]
    ),
    max_size=4,
)
queries = st.one_of(
    st.sampled_from(["", "?mode=sync", "?mode=async", "?mode=auto", "?mode=", "?mode", "?n=1", "?mode=sync&mode=x"]),
    st.binary(max_size=20).map(lambda some: "?" + quote(some)),
    st.binary(max_size=20).map(lambda some: "?mode=" + quote(some)),
)
names = st.one_of(
    st.binary(min_size=1, max_size=80), st.text(min_size=1, max_size=80).map(lambda t: t.encode("utf-8", "replace"))
)
slugs = st.one_of(*[st.just("alice")] * 6, names.map(lambda some: quote(some, safe="")))
functions = st.one_of(*[st.just("parse_via_chat_gpt")] * 6, names.map(lambda some: quote(some, safe="")))
methods = st.one_of(*[st.just("POST")] * 9, st.sampled_from(["GET", "PUT", "PATCH", "DELETE"]))
credentials = st.sampled_from(["token", "token", "token", "token", "signature", "both", "none"])


@pytest.mark.parametrize("database_url", [DATABASE], indirect=True)
@pytest.mark.timeout(SECONDS + 120)
def test_it_answers_whatever_it_is_sent(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    openai.always(echo())
    with served(tmp_path / "log", database_url=database_url, openai_base_url=openai.base_url) as server:
        alice = server.ngo("alice")
        alice.set_phrase(PHRASE)
        answers = fuzz(server, alice)
    with capsys.disabled():
        print(f"\n{answers.total()} calls on {DATABASE}, seed {SEED}: {dict(sorted(answers.items()))}")  # noqa: T201
    assert answers[200]
    assert answers[401]
    assert '"unexpected"' not in server.program.errors
    assert "Traceback" not in server.program.errors


def fuzz(server: Served, alice: Ngo) -> Counter[int]:
    """Rounds with a seed each until the time is over; how often each status was answered."""
    until = time.monotonic() + SECONDS
    answers: Counter[int] = Counter()
    with httpx2.Client(timeout=20) as client:

        @hypothesis_settings(
            max_examples=A_ROUND,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(methods, slugs, functions, queries, headers, bodies, credentials)
        def a_round(
            method: str,
            slug: str,
            function: str,
            query: str,
            extra: dict[str, bytes],
            body: bytes | Long,
            credential: str,
        ) -> None:
            content = body.whole() if isinstance(body, Long) else body
            url = f"{server.url}/webhooks/{slug}/{function}{query}"
            sent = authorization(alice, credential, content) | extra
            before = time.monotonic()
            reply = client.request(method, url, content=content, headers=sent)
            assert time.monotonic() - before < IN_TIME
            require_contract(reply)
            answers[reply.status_code] += 1

        number = 0
        while time.monotonic() < until:
            seed(SEED + number)(a_round)()
            number += 1
    return answers


def authorization(alice: Ngo, credential: str, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if credential in {"token", "both"}:
        found["Authorization"] = f"Bearer {alice.token}".encode()
    if credential in {"signature", "both"}:
        moment = int(time.time())
        digest = hmac.new(PHRASE.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        found["X-Glific-Signature"] = f"t={moment},v1={digest}".encode()
    return found


def require_contract(reply: httpx2.Response) -> None:
    """One JSON object with the contract's keys, whatever the status."""
    assert reply.headers["content-type"] == "application/json"
    said = reply.json()
    if reply.status_code == 200:
        assert said.keys() == GOOD
        assert (said["success"], said["status"]) == (True, "ok")
    else:
        assert said.keys() == BAD
        assert said["error_code"] in CODES[reply.status_code]
        assert (said["success"], said["status"]) == (False, "error")
        assert said["error"].endswith(".")
    message = said["parsed_msg"]
    assert message
    if isinstance(message, str):
        assert len(message) <= 4096
        assert "<%" not in message
