"""Hypothesis strategies that generate requests to the webhook, valid and invalid."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

FIELDS = [
    *(
        "question_text",
        "prompt",
        "gpt_model",
        "model",
        "temperature",
        "max_tokens",
        "max_characters",
        "response_format",
    ),
    *("contact", "results", "flow_id", "contact_id", "organization_id", "result_name"),
]

VALUES: list[Any] = [
    *("", " ", "0", "-1", "1e999", "٣", "@results.gpt.parsed_msg", "@contact", "<%= 1 %>", "\x00", "\ud800"),
    *(0, -1, 2**63, 10**400, 1e308, float("nan"), True, [], {}, None),
    *("gpt-4o", "GPT-4O", "gpt-5-pro", "o3", "tts-1", "davinci-002", "ft:gpt-4o:ngo::1", "../../etc"),
    *({"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x"}}, {"type": "text"}),
    *({"id": "21"}, {"id": 2**70}, {"id": {}}, {"id": -1}),
]

HEADERS = [
    *(b"Authorization", b"X-Glific-Signature", b"Idempotency-Key", b"Content-Type", b"Content-Encoding", b"Accept"),
    *(b"Accept-Encoding", b"Cookie", b"X-Forwarded-For", b"X-Forwarded-Prefix", b"X-HTTP-Method-Override"),
    *(b"Range", b"If-None-Match", b"Origin"),
]

HEADER_VALUES = [
    *(b"", b"Bearer", b"bearer  x", b"Basic YTpi", b"t=1,v1=00", b"t=,v1=", b"t=9" + b"9" * 40),
    *(b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"),
    *(b"gzip", b"br", b"text/plain; charset=utf-7", b"a" * 4000),
]

QUERIES = ["", "?mode=sync", "?mode=async", "?mode=auto", "?mode=", "?mode", "?n=1", "?mode=sync&mode=x"]


class LongBody(NamedTuple):
    """A long body, stored in parts so that it stays short in a failure report."""

    head: bytes
    middle: bytes
    times: int
    tail: bytes


BODIES = [
    *(b"", b'{"question_text": "a", "question_text": "b"}', b'\xef\xbb\xbf{"question_text": "a"}'),
    '{"question_text": "a"}'.encode("utf-16"),
    LongBody(b"", b"[", 100_000, b""),
    LongBody(b"", b'{"question_text": ', 20_000, b""),
    LongBody(b'{"question_text": "', b"a", 1_100_000, b'"}'),
    LongBody(b'{"question_text": ', b"1", 10_000, b"}"),
]


class GeneratedRequest(NamedTuple):
    """A request to the webhook."""

    authentication: str
    """Token, signature, both or none."""
    method: str
    slug: str
    function: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes | LongBody

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.head + self.body.middle * self.body.times + self.body.tail


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def _quote(name: bytes) -> str:
    return quote(name, safe="")


def _one_of(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Choose each strategy as often as it is listed. st.one_of ignores duplicates."""
    return st.sampled_from(strategies).flatmap(lambda chosen: chosen)


def _mostly(usual: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _one_of(*[st.just(usual)] * 7, other)


# This includes half a surrogate pair, which json.dumps writes as an escape.
_text = st.text(st.characters(codec=None))
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=10,
)
_valid = st.fixed_dictionaries(
    {"question_text": _text.filter(str.strip)},
    optional={
        "prompt": _text,
        "temperature": st.floats(0, 2),
        "max_tokens": st.integers(1, 1_000_000).map(str),
        "results": _json,
        "contact": st.fixed_dictionaries({"id": st.integers(1, 2**63 - 1)}, optional={"name": _text}),
        "gpt_model": st.sampled_from(["gpt-4o", "gpt-5-mini", "o3", "gpt-5-pro"]),
    },
)
_near_valid = st.dictionaries(st.sampled_from(FIELDS), _json | st.sampled_from(VALUES), max_size=5).map(
    lambda fields: {"question_text": "What is ORS?"} | fields
)
_invalid = st.sampled_from(BODIES) | st.binary(max_size=300) | _json.map(_encode)

# Bytes that RFC 9110, 5.5 allows in the value of a header field.
_header_text = st.binary(max_size=60).map(lambda value: bytes(byte for byte in value if 0x20 <= byte != 0x7F).strip())
_names = st.binary(min_size=1, max_size=80) | st.text(min_size=1, max_size=80).map(lambda name: name.encode())
_query = st.binary(max_size=20).map(lambda value: "?" + quote(value)) | st.binary(max_size=20).map(
    lambda value: "?mode=" + quote(value)
)

generated_requests = st.builds(
    GeneratedRequest,
    authentication=_mostly("token", st.sampled_from(["signature", "both", "none"])),
    method=_mostly("POST", st.sampled_from(["GET", "PUT", "PATCH", "DELETE"])),
    slug=_mostly("alice", _names.map(_quote)),
    function=_mostly("parse_via_chat_gpt", _names.map(_quote)),
    query=_one_of(st.just(""), st.sampled_from(QUERIES), _query),
    headers=st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES) | _header_text, max_size=3),
    body=_one_of(_valid.map(_encode), _near_valid.map(_encode), _invalid),
)
