"""One organization can neither have any number of calls waiting for answers, nor fill the disk with what they store."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import func, select

from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.tables import Delivery
from glific_gpt.database import db, reading, transaction
from tests.conftest import StartServer
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    pending_call_id,
    resumed_result,
    retry_delivery,
    start_worker_in_process,
    wait_until,
)
from tests.support.glific_behaviours import answer as answer_of_glific
from tests.support.glific_behaviours import errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer as answer_of_openai
from tests.support.openai_behaviours import out_of_credit
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
        is_forked=True,
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


def failed_calls(organization: TestOrganization, count: int, **body: Any) -> list[str]:
    """Return the ids of deferred calls whose deliveries have failed one after the other, with their questions."""
    call_ids = [pending_call_id(organization.ask_deferred(**body)) for _ in range(count)]
    for call_id in call_ids:
        with organization.server.app.app_context(), transaction() as session:
            delivery_records.mark_failed(session.get_one(Delivery, call_id), "The contact does not exist.")
    return call_ids


def are_stored(organization: TestOrganization, call_ids: list[str]) -> list[bool]:
    return [delivery_records.has_content(organization.delivery(call_id)) for call_id in call_ids]


def test_the_oldest_failed_deliveries_leave_the_bytes_to_new_calls(
    start_server: StartServer, glific: GlificStandIn
) -> None:
    server = start_server(max_waiting_megabytes_per_organization=2)
    alice = create_connected_organization(server, glific)
    bob = create_connected_organization(server, glific, "bob")
    of_bob = failed_calls(bob, 1, question_text=QUESTION)
    failed = failed_calls(alice, 5, question_text=QUESTION)
    assert are_stored(alice, failed) == [True] * 5
    new = [pending_call_id(alice.ask_deferred(question_text=QUESTION)) for _ in range(2)]
    assert are_stored(alice, failed + new) == [False, False, True, True, True, True, True]
    assert alice.delivery(failed[0]).stored_bytes == 0
    assert are_stored(bob, of_bob) == [True]
    assert codes_of_calls(alice, 4, question_text=QUESTION) == {"pending": 3, "overloaded": 1}
    assert are_stored(alice, failed) == [False] * 5


def test_a_call_that_is_refused_deletes_no_failed_delivery(start_server: StartServer, glific: GlificStandIn) -> None:
    server = start_server(max_waiting_calls_per_organization=1, max_waiting_megabytes_per_organization=2)
    alice = create_connected_organization(server, glific)
    failed = failed_calls(alice, 1, question_text=QUESTION)
    assert codes_of_calls(alice, 2, question_text="a" * 700 * KILOBYTE) == {"pending": 1, "overloaded": 1}
    assert are_stored(alice, failed) == [True]


def test_as_many_failed_deliveries_are_kept_as_calls_may_wait(start_server: StartServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(start_server(max_waiting_calls_per_organization=2), glific)
    failed = [*failed_calls(alice, 2), *failed_calls(alice, 2)]
    pending_call_id(alice.ask_deferred())
    assert are_stored(alice, failed) == [False, False, True, True]


def test_an_error_that_cannot_be_delivered_is_stored_without_the_fallback_message(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    fallback = "\u0928" * 4000
    alice = create_connected_organization(start_server(with_worker=True), glific, fallback_message=fallback)
    openai.always(out_of_credit())
    glific.always(errors("The contact does not exist."))
    call_id = pending_call_id(alice.ask_deferred())
    delivery = alice.wait_for_delivery(call_id)
    assert delivery.state == "undelivered"
    assert delivery.stored_bytes == len(delivery.answer or "") < KILOBYTE
    glific.always(answer_of_glific())
    retry_delivery(alice, call_id)
    wait_until(lambda: alice.delivery(call_id).state == "delivered")
    assert resumed_result(glific, 21)["parsed_msg"] == fallback
    assert alice.delivery(call_id).stored_bytes == 0


def test_auto_calls_beyond_the_limit_are_refused_when_their_time_is_over(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, patient_deferral: None
) -> None:
    server = start_server(max_waiting_calls_per_organization=2, deadline_seconds=1.5)
    alice = create_connected_organization(server, glific)
    bob = create_connected_organization(server, glific, "bob")
    openai.always(answer_of_openai(after=5))
    replies = call_concurrently(6, lambda number: alice.ask_deferred("auto", contact=number + 1))
    assert Counter(map(get_code, replies)) == {"pending": 2, "overloaded": 4}
    refused = next(reply for reply in replies if get_code(reply) == "overloaded")
    assert refused.headers["Retry-After"] == "10"
    call_id = str(require_error(refused, "overloaded")["call_id"])
    wait_until(lambda: find_call(alice, call_id)["status"] == "error")
    assert find_call(alice, call_id)["error_code"] == "overloaded"
    assert get_code(bob.ask_deferred("auto")) == "pending"
    assert get_code(alice.ask_deferred()) == "overloaded"


def test_an_auto_call_beyond_the_limit_is_answered_in_time(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(start_server(max_waiting_calls_per_organization=1), glific)
    assert [get_code(alice.ask_deferred(mode)) for mode in ("async", "async", "auto")] == [
        "pending",
        "overloaded",
        "ok",
    ]


@pytest.mark.usefixtures("patient_deferral")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has no locks of rows
def test_a_lock_on_one_organization_does_not_keep_auto_calls_from_being_deferred(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, database_url: str
) -> None:
    server = start_server(deadline_seconds=1.5)
    alice = create_connected_organization(server, glific)
    bob = create_connected_organization(server, glific, "bob")
    openai.always(answer_of_openai(after=8))
    engine = sa.create_engine(database_url)
    with engine.connect() as connection:
        # An insert that refers to the row does not need this lock.
        connection.execute(sa.text("SELECT id FROM organizations WHERE slug = 'alice' FOR NO KEY UPDATE"))
        replies = call_concurrently(4, lambda number: (alice, bob)[number % 2].ask_deferred("auto", contact=number + 1))
    engine.dispose()
    assert Counter(map(get_code, replies)) == {"pending": 4}


def test_the_count_reads_nothing_but_its_index(start_server: StartServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(start_server(), glific)
    counts: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "GROUP BY" in statement and "stored_bytes > 0" in statement:
            counts.append((statement, parameters))

    with alice.server.app.app_context():
        engine = db.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        pending_call_id(alice.ask_deferred())
        sa.event.remove(engine, "before_cursor_execute", note)
        ((statement, parameters),) = counts
        with engine.connect() as connection:
            is_sqlite = engine.dialect.name == "sqlite"
            if not is_sqlite:
                connection.exec_driver_sql("SET enable_seqscan = off")  # a small table is read as a whole
            explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
            plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "ix_deliveries_stored" in plan
    assert "COVERING" in plan or "Index Only" in plan or "Bitmap" in plan, plan
