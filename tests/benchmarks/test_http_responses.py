"""The load generator recognizes complete responses, however they are split and framed."""

import pytest

from benchmarks.http_responses import HttpResponse, parse_response

WITH_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"ok": true}\n'
IN_CHUNKS = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    b"c;note=one\r\n{\r\n\"ok\": tru\r\n2\r\ne}\r\n0\r\n\r\n"
)  # fmt: skip
WITHOUT_BODY = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize("whole", [WITH_LENGTH, IN_CHUNKS, WITHOUT_BODY])
def test_a_response_is_complete_with_its_last_byte_and_not_before(whole: bytes) -> None:
    assert all(parse_response(whole[:length]) is None for length in range(len(whole)))
    assert parse_response(whole) == HttpResponse(int(whole[9:12]), closes_connection=False)


def test_a_response_has_a_status_and_may_close_the_connection() -> None:
    reply = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert parse_response(reply) == HttpResponse(503, closes_connection=True)
