"""A body must be a JSON object of at most one mebibyte."""

import json

import pytest

from tests.support import http
from tests.support.openai_behaviours import json_answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

INVALID_BODIES = {
    "empty": b"",
    "white space": b" \n",
    "broken": b'{"question_text": "What is ORS?"',
    "a list": b'[{"question_text": "What is ORS?"}]',
    "a text": b'"What is ORS?"',
    "null": b"null",
    "a number": b"1",
    "two objects": b'{"question_text": "a"}{"question_text": "b"}',
    "a form": b"question_text=What+is+ORS",
    "single quotes": b"{'question_text': 'What?'}",
    "NaN": b'{"question_text": "What?", "temperature": NaN}',
    "Infinity": b'{"question_text": "What?", "results": {"x": -Infinity}}',
    "beyond a float": b'{"question_text": "What?", "temperature": 1e400}',
    "half a pair": b'{"question_text": "\\ud83c"}',
    "half a pair in a key": b'{"question_text": "a", "results": {"\\udf3e": 1}}',
    "latin-1": '{"question_text": "é"}'.encode("latin-1"),
    "utf-16": '{"question_text": "What?"}'.encode("utf-16"),
    "NUL bytes": b"\x00" * 10,
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a huge number": b'{"question_text": "a", "x": ' + b"9" * 100_000 + b"}",
    "1000 deep": b'{"question_text": "a", "results": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "100,000 deep": b'{"question_text": "a", "results": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "200,000 open": b"[" * 200_000,
}


def test_it_refuses_a_body_that_is_not_a_json_object(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    for name, content in INVALID_BODIES.items():
        reply = alice.post(content=content)
        assert (name, reply.status_code, get_code(reply)) == (name, 400, "invalid_json")
        require_error(reply, "invalid_json")
    assert openai.requests == []


def test_a_deeply_nested_body_is_answered_or_refused(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(json_answer({"a": 1}))
    schema = '{"question_text": "a", "response_format": {"type": "json_schema", "json_schema": {"schema": %s}}}'
    codes = set()
    for depth in (100, 400, *range(900, 1000, 3), 3000):
        codes.add(get_code(alice.post(content=(schema % ("[" * depth + "]" * depth)).encode())))
    assert codes == {"ok", "invalid_json"}


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"\n\t "], ids=["byte order mark", "white space"])
def test_it_reads_json_after_a_byte_order_mark_or_white_space(alice: TestOrganization, prefix: bytes) -> None:
    require_ok(alice.post(content=prefix + b'{"question_text": "What is ORS?"}'))


def test_it_accepts_900_kilobytes_of_results(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    results = {f"answer_{number}": {"input": "ओआरएस क्या है? @results.x " * 10} for number in range(1800)}
    content = json.dumps({"question_text": "What is ORS?", "results": results}, ensure_ascii=False).encode()
    assert 850_000 < len(content) < 1_000_000
    require_ok(alice.post(content=content))
    assert len(json.dumps(openai.requests[-1].body)) < 1000


def test_it_accepts_at_most_one_mebibyte(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    content = b'{"question_text": "What is ORS?"}'.ljust(1024 * 1024)
    require_ok(alice.post(content=content))
    require_error(alice.post(content=content + b" "), "body_too_large")
    headers = {"Authorization": f"Bearer {alice.token}"}
    chunks = (content[start : start + 65536] for start in range(0, len(content), 65536))
    require_ok(http.post(alice.url, content=chunks, headers=headers, timeout=20))
    too_many_chunks = (b" " * 65536 for _ in range(20))
    require_error(http.post(alice.url, content=too_many_chunks, headers=headers, timeout=20), "body_too_large")
    assert len(openai.requests) == 2
