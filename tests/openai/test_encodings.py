"""Compressed bodies: read whatever their header says, within the limit of a reply."""

import gzip
import zlib

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.openai.encodings import decode_body
from glific_gpt.openai.http_response import MAX_BODY_BYTES

BODY = b'{"choices": [{"message": {"content": "\xe0\xa4\xaa\xe0\xa4\xbe\xe0\xa4\xa8\xe0\xa5\x80"}}]}'
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED = RAW.compress(BODY) + RAW.flush()
COMPRESSED = {
    "plain": BODY,
    "gzip": gzip.compress(BODY),
    "zlib": zlib.compress(BODY),
    "deflate": DEFLATED,
    "gzip twice": gzip.compress(gzip.compress(BODY)),
}
CLAIMS = ("gzip", "deflate", "br", "zstd", "GZIP", "gzip, deflate", "identity, gzip", "x-unheard-of")


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_body_is_read_whatever_its_header_says(kind: str, claim: str) -> None:
    assert decode_body([(b"Content-Encoding", claim.encode())], COMPRESSED[kind]) == BODY


def test_a_body_without_a_header_is_decompressed_only_if_it_is_gzip() -> None:
    for headers in ([], [(b"content-encoding", b"identity")], [(b"content-encoding", b"")]):
        assert decode_body(headers, COMPRESSED["gzip"]) == BODY
        assert decode_body(headers, COMPRESSED["zlib"]) == COMPRESSED["zlib"]


@pytest.mark.parametrize("size", [1, 20, len(BODY) - 1])
@pytest.mark.parametrize("end", [b"", b"\0" * 9, b"rest"])
def test_a_gzip_body_of_several_members_is_read_whole(size: int, end: bytes) -> None:
    members = [gzip.compress(BODY[at : at + size]) for at in range(0, len(BODY), size)]
    for body in (b"".join(members), gzip.compress(b"".join(members))):
        assert decode_body([(b"content-encoding", b"gzip")], body + end) == BODY


def test_the_members_of_a_body_share_the_limit() -> None:
    half = gzip.compress(bytes(MAX_BODY_BYTES // 2))
    empty = gzip.compress(b"")
    assert len(decode_body([], half + half + empty)) == MAX_BODY_BYTES
    for beyond in (half + half + gzip.compress(b"a"), empty * 200_000):
        with pytest.raises(httpx2.DecodingError):
            decode_body([], beyond)


def test_a_damaged_body_stays_as_it_is() -> None:
    whole = gzip.compress(BODY)
    for damaged in (whole + whole[:-9], whole[:-9], b"\x1f\x8b" + BODY, b"\x28\xb5\x2f\xfd" + BODY, b"\xff"):
        assert decode_body([(b"content-encoding", b"gzip")], damaged) == damaged


def test_a_body_that_grows_beyond_the_limit_is_refused() -> None:
    for bomb in (gzip.compress(bytes(MAX_BODY_BYTES + 1)), gzip.compress(gzip.compress(bytes(20 * MAX_BODY_BYTES)))):
        with pytest.raises(httpx2.DecodingError):
            decode_body([(b"content-encoding", b"gzip")], bomb)
    assert len(decode_body([(b"content-encoding", b"gzip")], gzip.compress(b"a" * MAX_BODY_BYTES))) == MAX_BODY_BYTES


@given(st.binary(max_size=300), st.sampled_from(CLAIMS))
def test_any_bytes_are_read_without_an_error(body: bytes, claim: str) -> None:
    assert isinstance(decode_body([(b"content-encoding", claim.encode())], body), bytes)
