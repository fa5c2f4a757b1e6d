"""Replies of OpenAI as public bug reports quote them: each is data, with the answer that a flow gets."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.openai_behaviours import send_exactly
from tests.support.openai_exchange import Behaviour
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error, require_ok

FOLDER = Path(__file__).parent
FILES = ("openai_replies.json", "more_openai_replies.json")
CASES: list[dict[str, Any]] = [case for name in FILES for case in json.loads((FOLDER / name).read_text())]
"""Each has a webhook's body, the reply of OpenAI, and what is expected.

`upstream_reply` has a status (200 by default), headers, and a `json` or `text` body. `claims` is a Content-Encoding
that is not true, and `compressed` one that is. In `expect`, `retry_after` is in seconds, `error` and `not_error` hold
parts of the sentence, `asked` is the number of requests, and `sent` and `not_sent` are about the last request's body.
"""


def reply_with(reply: dict[str, Any]) -> Behaviour:
    """Send the reply of a case."""
    body = json.dumps(reply["json"]).encode() if "json" in reply else reply.get("text", "").encode()
    headers = [("content-type", reply.get("type", "application/json")), *map(tuple, reply.get("headers", []))]
    claimed = "gzip" if reply.get("claims_gzip") else reply.get("claims")
    compressed = reply.get("compressed", "")
    if compressed:
        body = gzip.compress(body) if compressed == "gzip" else zlib.compress(body)
    if claimed or (compressed and not reply.get("unclaimed")):
        headers.append(("content-encoding", claimed or compressed))
    return send_exactly(reply.get("status", 200), headers, body)


def test_the_names_of_the_cases_are_different() -> None:
    names = [case["name"] for case in CASES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_reply_of_openai(case: dict[str, Any], alice: TestOrganization, openai: OpenAIStandIn) -> None:
    replies = [reply_with(reply) for reply in case.get("upstream_replies") or [case["upstream_reply"]]]
    openai.will(*replies[:-1])
    openai.always(replies[-1])
    expected = case["expect"]

    reply = alice.post(case["webhook_body"])

    assert reply.status_code == expected["status"], reply.text
    if "error_code" in expected:
        sentence = require_error(reply, expected["error_code"])["error"]
        assert all(part in sentence for part in expected.get("error", ())), sentence
        assert not any(part in sentence for part in expected.get("not_error", ())), sentence
    else:
        require_ok(reply, cut_off=expected.get("cut_off", False))
    if "parsed_msg" in expected:
        assert reply.json()["parsed_msg"] == expected["parsed_msg"]
    if "retry_after" in expected:
        assert int(reply.headers["Retry-After"]) == expected["retry_after"]
    assert len(openai.requests) <= expected.get("asked_at_most", 3)
    assert len(openai.requests) == expected.get("asked", len(openai.requests))
    sent = openai.requests[-1].body if openai.requests else {}
    assert sent.items() >= expected.get("sent", {}).items()
    assert not set(expected.get("not_sent", ())) & sent.keys()
    (call,) = alice.calls()
    assert call["error_code"] == expected.get("error_code")
    assert call["cut_off"] is expected.get("cut_off", False)
