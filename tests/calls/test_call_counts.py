"""Each call is counted once, when its row has reached a final status."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from glific_gpt.calls import pipeline, records
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.database.group_transaction import Check, Finish, Work
from tests.conftest import StartServer
from tests.support import http
from tests.support.call_records import create_call
from tests.support.database_faults import lock_calls
from tests.support.deferred import create_connected_organization, pending_call_id, retry_delivery, wait_until
from tests.support.glific_behaviours import errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.metrics import Labels, ended_calls, metered, scrape, with_row
from tests.support.openai_behaviours import answer, refuse_key, server_error
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

PATIENT_SECONDS = 20.0
"""Deadline of calls that need not be fast, on a busy machine."""

PARSE = "parse_via_chat_gpt"
"""The function of most calls."""


@pytest.fixture
def server(start_server: StartServer, tmp_path: Path) -> RunningServer:
    return start_server(with_worker=True, deadline_seconds=PATIENT_SECONDS, **metered(tmp_path))


def counted(server: RunningServer) -> dict[Labels, int]:
    """Return what is counted, as soon as it agrees with the rows. Calls without a row are not compared.

    A deferred call is counted after the commit of its row, which this may read before.
    """
    wait_until(lambda: with_row(scrape(server.url).calls()) == ended_calls(server))
    return scrape(server.url).calls()


def test_answers_errors_and_invalid_calls_are_counted(
    server: RunningServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.ask()
    alice.ask()
    openai.will(refuse_key())
    alice.ask()
    alice.ask("")
    alice.post(content=b"[", query="?mode=auto")
    assert counted(server) == {
        (PARSE, "sync", "ok", ""): 2,
        (PARSE, "sync", "error", "invalid_api_key"): 1,
        (PARSE, "sync", "error", "empty_question"): 1,
        (PARSE, "auto", "error", "invalid_json"): 1,
    }


def test_what_callers_invent_is_no_label(server: RunningServer, alice: TestOrganization) -> None:
    for function in ("invented", "another", "%F0"):
        headers = {"Authorization": f"Bearer {alice.token}"}
        http.post(f"{server.url}/webhooks/alice/{function}", headers=headers, json={})
    alice.post({"question_text": "What is ORS?"}, query="?mode=invented")
    assert scrape(server.url).calls() == {
        ("unknown", "sync", "error", "unknown_function"): 3,
        (PARSE, "unknown", "error", "invalid_field"): 1,
    }


def test_calls_without_a_row_are_refused(server: RunningServer, alice: TestOrganization) -> None:
    alice.post({}, headers={"Authorization": "Bearer wrong"})
    alice.change(glific_organization_id=17)
    alice.ask(organization_id=18)
    assert counted(server) == {(PARSE, "sync", "refused", "unauthorized"): 2}


def test_a_repeated_call_is_counted_as_a_replay_only(server: RunningServer, alice: TestOrganization) -> None:
    for _ in range(3):
        alice.post({"question_text": "What is ORS?"}, headers={"Idempotency-Key": "one"})
    assert counted(server) == {(PARSE, "sync", "ok", ""): 1}
    found = scrape(server.url)
    assert found.total("replayed_answers_total") == 2
    assert found.total("call_seconds_count") == found.total("openai_seconds_count") == 1


def test_a_deferred_call_is_counted_at_its_end_with_its_mode(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, patient_deferral: None, tmp_path: Path
) -> None:
    server = start_server(with_worker=True, deadline_seconds=1.0, **metered(tmp_path))
    alice = create_connected_organization(server, glific)
    openai.always(answer(after=2))
    pending = [pending_call_id(alice.ask_deferred(mode)) for mode in ("auto", "async")]
    assert counted(server) == {}
    assert scrape(server.url).total("deferred_waiting") == 2
    for call_id in pending:
        alice.wait_for_delivery(call_id)
    wait_until(lambda: scrape(server.url).total("deferred_seconds_count") == 2)
    assert counted(server) == {(PARSE, "auto", "ok", ""): 1, (PARSE, "async", "ok", ""): 1}


def test_a_delivery_that_is_retried_is_counted_at_each_end(server: RunningServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(server, glific)
    glific.will(errors({"key": "contact", "message": "Resource not found"}))
    call_id = pending_call_id(alice.ask_deferred())
    alice.wait_for_delivery(call_id)
    assert counted(server) == {(PARSE, "async", "error", "undelivered"): 1}
    retry_delivery(alice, call_id)
    alice.wait_for_delivery(call_id)
    both = {(PARSE, "async", "error", "undelivered"): 1, (PARSE, "async", "ok", ""): 1}
    wait_until(lambda: scrape(server.url).calls() == both)


def test_interrupted_calls_are_counted_once(server: RunningServer, alice: TestOrganization) -> None:
    for mode in ("sync", "sync", "auto", None):
        create_call(alice, "started", at=now() - timedelta(minutes=1), duration_ms=None, mode=mode)
    for _ in range(2):
        with server.app.app_context(), transaction() as session:
            records.mark_interrupted(session)
    assert counted(server) == {
        (PARSE, "sync", "interrupted", ""): 2,
        (PARSE, "auto", "interrupted", ""): 1,
        (PARSE, "unknown", "interrupted", ""): 1,
    }
    assert scrape(server.url).total("calls_failed_total", error_class="service") == 4


def test_a_transaction_that_is_rolled_back_counts_nothing(server: RunningServer, alice: TestOrganization) -> None:
    create_call(alice, "started", at=now() - timedelta(minutes=1), duration_ms=None)

    def fail() -> None:
        with transaction() as session:
            records.mark_interrupted(session)
            raise InterruptedError

    with server.app.app_context(), pytest.raises(InterruptedError):
        fail()
    assert scrape(server.url).calls() == ended_calls(server) == {}


def test_a_row_that_cannot_be_finished_in_time_is_counted_when_it_is(
    server: RunningServer, alice: TestOrganization, openai: OpenAIStandIn, database_url: str
) -> None:
    with ExitStack() as stack:

        def lock_and_answer(exchange: Exchange) -> None:
            stack.enter_context(lock_calls(database_url))
            answer()(exchange)

        openai.will(lock_and_answer)
        assert alice.ask().json()["status"] == "ok"
        assert scrape(server.url).calls() == {}
    wait_until(lambda: scrape(server.url).calls() == {(PARSE, "sync", "ok", ""): 1})
    assert ended_calls(server) == {(PARSE, "sync", "ok", ""): 1}


def test_a_call_that_cannot_be_recorded_is_refused(
    server: RunningServer, alice: TestOrganization, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ABANDON_AFTER_SECONDS", 0.1)
    with lock_calls(database_url):
        alice.ask()
    wait_until(lambda: scrape(server.url).calls() == {(PARSE, "sync", "refused", "overloaded"): 1})
    assert ended_calls(server) == {}


def test_a_commit_that_succeeds_after_its_time_out_is_counted_as_an_error(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.connect(glific)
    enqueuing = server.services.pipeline.deferrer.enqueuing
    run: Callable[[Work, Check, Finish], None] = enqueuing.run

    def commit_too_late(work: Work, check: Check, finish: Finish) -> None:
        run(work, check, finish)
        raise PoolTimeoutError

    server.services.engine.stop(0)
    monkeypatch.setattr(enqueuing, "run", commit_too_late)
    monkeypatch.setattr(pipeline, "ABANDON_AFTER_SECONDS", 0.1)
    alice.ask_deferred()
    wait_until(lambda: scrape(server.url).calls() == {(PARSE, "async", "error", "overloaded"): 1})
    assert ended_calls(server) == {(PARSE, "async", "error", "overloaded"): 1}


def test_failures_are_counted_by_the_party_that_can_fix_them(
    server: RunningServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(server_error())
    alice.ask()
    alice.switch_key(on=False)
    alice.ask()
    alice.ask("")
    found = scrape(server.url)
    classes = ("service", "organization", "caller")
    assert [found.total("calls_failed_total", error_class=each) for each in classes] == [1, 1, 1]
    assert found.total("openai_failures_total", cause="http_500") >= 1
