"""One organization can neither have any number of calls waiting for answers, nor fill the disk with their questions."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from glific_gpt.calls.tables import Delivery
from glific_gpt.database import reading
from tests.conftest import StartServer
from tests.support.deferred import create_connected_organization, start_worker_in_process, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes
from tests.webhooks.assertions import get_code, require_error
from tests.webhooks.concurrency import call_concurrently

pytestmark = pytest.mark.both_databases

MAX_CALLS = 10
KILOBYTE = 1024
QUESTION = "a" * 300 * KILOBYTE
"""Five of them, encrypted, fit into two megabytes."""


@pytest.fixture
def processes(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn, glific: GlificStandIn
) -> Iterator[ServerProcesses]:
    """Two processes that accept deferred calls. No worker answers them."""
    with run_server_processes(
        tmp_path / "log",
        database_url=database_url,
        openai_base_url=openai.base_url,
        glific_hosts="127.0.0.1",
        worker="separate",
        processes=2,
        max_waiting_calls_per_organization=MAX_CALLS,
        max_waiting_megabytes_per_organization=2,
    ) as server:
        yield server


def codes_of_calls(organization: TestOrganization, count: int, **body: Any) -> Counter[str]:
    """Return the number of each outcome of calls that are sent together, each by a contact of its own."""
    replies = call_concurrently(count, lambda number: organization.ask_deferred(contact=number + 1, **body))
    return Counter(map(get_code, replies))


def stored_characters(server: RunningServer) -> int:
    with server.app.app_context(), reading() as session:
        return session.scalar(select(func.sum(func.length(Delivery.question)))) or 0


@pytest.mark.parametrize("settings", [{}, {"contact_daily_limit": 100}])
def test_calls_that_arrive_together_at_two_processes_keep_to_the_limit(
    processes: ServerProcesses, glific: GlificStandIn, settings: dict[str, Any]
) -> None:
    alice = create_connected_organization(processes, glific, **settings)
    bob = create_connected_organization(processes, glific, "bob")
    assert codes_of_calls(alice, 40) == {"pending": MAX_CALLS, "overloaded": 40 - MAX_CALLS}
    reply = alice.ask_deferred()
    assert reply.headers["Retry-After"] == "10"
    assert require_error(reply, "overloaded")["error"] == (
        "This organization has reached its limit of deferred calls that wait for an answer (10). "
        "Send fewer calls at the same time, or try again in a moment."
    )
    assert get_code(bob.ask_deferred()) == "pending"


def test_long_questions_that_arrive_together_at_two_processes_keep_to_the_limit_of_bytes(
    processes: ServerProcesses, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(processes, glific)
    bob = create_connected_organization(processes, glific, "bob")
    assert codes_of_calls(alice, 20, question_text=QUESTION) == {"pending": 5, "overloaded": 15}
    assert stored_characters(processes) <= 2 * KILOBYTE * KILOBYTE
    assert require_error(alice.ask_deferred(question_text=QUESTION), "overloaded")["error"] == (
        "This organization has reached its limit of stored questions of deferred calls (2 MB). "
        "Send shorter questions or fewer calls, or try again in a moment."
    )
    assert get_code(alice.ask_deferred()) == "pending"  # there is room for a short one
    assert get_code(bob.ask_deferred(question_text=QUESTION)) == "pending"


def test_calls_beyond_the_limit_of_auto_calls_keep_to_it_too(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    server = start_server(max_deferred_calls=1, max_waiting_calls_per_organization=2, deadline_seconds=60)
    alice = create_connected_organization(server, glific)
    with server.services.pipeline.background._lock:  # as if other calls had taken all places
        server.services.pipeline.background._counts[0] = 1
    replies = [alice.ask_deferred("auto", contact=contact) for contact in range(1, 4)]
    assert [get_code(reply) for reply in replies] == ["pending", "pending", "overloaded"]


def test_answered_calls_make_room(start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    server = start_server(max_waiting_calls_per_organization=3, max_waiting_megabytes_per_organization=2)
    alice = create_connected_organization(server, glific)
    expected = {"pending": 3, "overloaded": 1}
    assert codes_of_calls(alice, 4, question_text=QUESTION) == expected
    start_worker_in_process(server)
    wait_until(lambda: len(glific.resumptions) == 3)
    wait_until(lambda: get_code(alice.ask_deferred()) == "pending")


def test_a_repeated_call_gets_its_reply_beyond_the_limit(start_server: StartServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(start_server(max_waiting_calls_per_organization=1), glific)
    replies = [alice.ask_deferred(headers={"Idempotency-Key": key}) for key in ("one", "two", "one")]
    assert [get_code(reply) for reply in replies] == ["pending", "overloaded", "pending"]
    assert replies[0].json() == replies[2].json()
