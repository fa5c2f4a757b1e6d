"""Limits and stored replies with several processes, which share only the database."""

import json
import socket
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from glific_gpt.calls.tables import StoredReply
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, RunningServer, TestOrganization
from tests.support.serving import open_database, run_server_processes

pytestmark = pytest.mark.both_databases

CONTACTS = 8
CALLS = 16
"""Number of calls of each contact at the same time."""

DELETION_TIMEOUT_SECONDS = 10


def test_the_limit_of_a_contact_applies_to_all_processes_together(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url, processes=2
    ) as server:
        alice = server.add_organization("alice", contact_daily_limit=1)
        successes = [burst(alice, contact_id).count(200) for contact_id in range(1, CONTACTS + 1)]
    assert successes == [1] * CONTACTS
    assert len(openai.requests) == CONTACTS


def burst(organization: TestOrganization, contact_id: int) -> list[int]:
    """Send calls without their last byte, then all of the last bytes together, and return the statuses."""
    body = json.dumps({"question_text": "What is ORS?", "contact_id": contact_id}).encode()
    address = urlsplit(organization.url)
    lines = (
        f"POST {address.path} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {organization.token}",
        "Connection: close",
    )
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
    with ExitStack() as stack:
        wires = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_SECONDS))
            for _ in range(CALLS)
        ]
        for wire in wires:
            wire.sendall(head + body[:-1])
        time.sleep(0.1)
        for wire in wires:
            wire.sendall(body[-1:])
        return [int(wire.makefile("rb").readline().split()[1]) for wire in wires]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_expired_reply_is_deleted_without_a_call(tmp_path: Path, database_url: str) -> None:
    with open_database(database_url=database_url) as server:
        insert_expired_reply(server)
        with run_server_processes(tmp_path / "log", is_forked=True, database_url=database_url):
            until = time.monotonic() + DELETION_TIMEOUT_SECONDS
            while count_stored_replies(server) and time.monotonic() < until:
                time.sleep(0.05)
        assert count_stored_replies(server) == 0


def insert_expired_reply(server: RunningServer) -> None:
    server.add_organization("alice", key="")
    before = now() - timedelta(minutes=1)
    values = {"key_hash": "a" * 64, "call_id": "call_1", "status": 200, "give_up_at": before, "expires_at": before}
    with server.app.app_context(), transaction() as session:
        session.add(StoredReply(organization_id=store.find(session, "alice").id, **values))


def count_stored_replies(server: RunningServer) -> int:
    with server.app.app_context(), transaction() as session:
        return len(session.scalars(select(StoredReply)).all())
