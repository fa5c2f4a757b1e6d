"""A body that arrives slowly does not block other callers."""

import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.conftest import StartServer
from tests.support.server import TIMEOUT_SECONDS, TestOrganization
from tests.webhooks.assertions import require_ok

BODY = b'{"question_text": "What is ORS?"}'.ljust(1000)


def start_post(organization: TestOrganization, slug: str, header: str) -> socket.socket:
    """Start a POST, and send one byte of its body. Returns the connection."""
    address = urlsplit(organization.server.url)
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=TIMEOUT_SECONDS)
    head = f"POST /webhooks/{slug}/parse_via_chat_gpt HTTP/1.1\r\nHost: x\r\n{header}\r\nContent-Length: {len(BODY)}"
    connection.sendall(f"{head}\r\n\r\n".encode() + BODY[:1])
    return connection


@pytest.mark.parametrize(
    ("slug", "header", "status"),
    [
        ("unknown", "X-Glific-Signature: t=1,v1=0", 401),
        ("alice", "X-Glific-Signature: t=1,v1=0", 401),
        ("alice", "Authorization: Bearer {token}", 200),
    ],
    ids=["an unknown organization", "a wrong signature", "a token"],
)
def test_a_slow_body_occupies_no_slot(start_server: StartServer, slug: str, header: str, status: int) -> None:
    alice = start_server(max_in_flight=1).add_organization("alice")
    with start_post(alice, slug, header.format(token=alice.token)) as connection:
        # Give the server enough time to read the bytes that were sent.
        time.sleep(0.3)
        require_ok(alice.ask())
        connection.sendall(BODY[1:])
        assert connection.recv(12) == f"HTTP/1.1 {status}".encode()
