"""A locked, slow, silent or read-only database: a paid answer is returned, and other calls get an error in time."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from glific_gpt.calls.pipeline import FINISH_TIMEOUT_SECONDS
from glific_gpt.database.timeouts import STATEMENT_TIMEOUT_SECONDS
from tests.conftest import StartServer
from tests.support.database_faults import lock_calls, make_read_only, slow_down_inserts, without_a_connection
from tests.support.durations import is_faster_once
from tests.support.network_faults import FaultyProxy
from tests.support.openai_behaviours import Behaviour, answer
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import requires_linux
from tests.support.server import TestOrganization
from tests.webhooks.assertions import require_error, require_ok

DatabaseFailure = AbstractContextManager[None]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

FALLBACK = "Please call 1800."
GLIFIC_TIMEOUT_SECONDS = 5
"""The time that Glific waits for a reply."""
REPLY_MARGIN_SECONDS = 0.5
"""The part of it that remains when OpenAI answers at the last moment."""


def answer_during(failure: DatabaseFailure, stack: ExitStack, answered_at: list[float]) -> Behaviour:
    """Start the failure while OpenAI is asked, record the time of the answer, and then answer."""

    def behave(exchange: Exchange) -> None:
        stack.enter_context(failure)
        answered_at.append(time.monotonic())
        answer("Salt.")(exchange)

    return behave


def require_paid_answer(
    organization: TestOrganization, openai: OpenAIStandIn, failure: Callable[[str], DatabaseFailure], url: str
) -> None:
    """Require the answer, earlier than with the usual time-outs of the database."""

    def measure() -> float:
        answered_at: list[float] = []
        with ExitStack() as stack:
            openai.will(answer_during(failure(url), stack, answered_at))
            assert require_ok(organization.ask()) == "Salt."
            return time.monotonic() - answered_at[0]

    assert is_faster_once(measure, STATEMENT_TIMEOUT_SECONDS)


def test_the_time_out_of_the_last_write_leaves_time_for_the_reply() -> None:
    assert FINISH_TIMEOUT_SECONDS < REPLY_MARGIN_SECONDS


def require_overloaded_in_time(organization: TestOrganization, openai: OpenAIStandIn, failure: DatabaseFailure) -> None:
    """Require the error overloaded in time, and no request to OpenAI for a call that cannot be recorded."""
    organization.change(fallback_message=FALLBACK)
    with failure:
        started = time.monotonic()
        body = require_error(organization.ask(), "overloaded", FALLBACK)
        assert time.monotonic() - started < GLIFIC_TIMEOUT_SECONDS
    assert "database" in body["error"]
    assert openai.requests == []


def test_a_paid_answer_is_returned_in_time_if_the_database_is_locked(
    alice: TestOrganization, openai: OpenAIStandIn, database_url: str
) -> None:
    require_paid_answer(alice, openai, lock_calls, database_url)
    require_ok(alice.ask())


@on_postgresql
def test_a_paid_answer_is_returned_if_the_database_becomes_read_only(
    alice: TestOrganization, openai: OpenAIStandIn, database_url: str
) -> None:
    require_paid_answer(alice, openai, make_read_only, database_url)


def test_a_locked_database_gives_the_organizations_fallback_message(
    alice: TestOrganization, openai: OpenAIStandIn, database_url: str
) -> None:
    require_overloaded_in_time(alice, openai, lock_calls(database_url))
    require_ok(alice.ask())


@on_postgresql
@pytest.mark.parametrize("failure", [make_read_only, slow_down_inserts])
def test_a_database_that_cannot_write_gives_the_organizations_fallback_message(
    alice: TestOrganization, openai: OpenAIStandIn, database_url: str, failure: Callable[[str], DatabaseFailure]
) -> None:
    require_overloaded_in_time(alice, openai, failure(database_url))


@requires_linux
@on_postgresql
def test_a_silent_database_times_out(start_server: StartServer, openai: OpenAIStandIn, database_url: str) -> None:
    with database_proxy(database_url) as (proxy, proxy_url):
        alice = start_server(database_url=proxy_url, deadline_seconds=2.5).add_organization("alice")
        require_ok(alice.ask())
        proxy.drop_packets()

        def time_call(number: int) -> float:
            """Return the seconds until a call is refused. Together they need more connections than there are."""
            body = {"question_text": "What is ORS?", "contact": {"id": 21}, "flow_id": "5"}
            started = time.monotonic()
            require_error(alice.post(body, query="?mode=async" if number % 2 else ""), "overloaded")
            return time.monotonic() - started

        with ThreadPoolExecutor(24) as pool:
            assert max(pool.map(time_call, range(24))) < 3.2
    assert len(openai.requests) == 1


@on_postgresql
def test_a_database_that_acknowledges_without_answering_times_out(
    start_server: StartServer, openai: OpenAIStandIn, database_url: str
) -> None:
    with database_proxy(database_url) as (proxy, proxy_url):
        alice = start_server(database_url=proxy_url).add_organization("alice")
        require_ok(alice.ask())
        openai.always(_run_first(proxy.stop_forwarding, answer("Paid for.")))
        started = time.monotonic()
        assert require_ok(alice.ask()) == "Paid for."
        assert time.monotonic() - started < GLIFIC_TIMEOUT_SECONDS
        started = time.monotonic()
        require_error(alice.ask(), "overloaded")
        assert time.monotonic() - started < GLIFIC_TIMEOUT_SECONDS


def _run_first(action: Callable[[], None], then: Behaviour) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        action()
        then(exchange)

    return behave


@contextmanager
def database_proxy(database_url: str) -> Iterator[tuple[FaultyProxy, str]]:
    """Run a proxy before the database. Yields it, and the URL of the database through the proxy."""
    url = sa.make_url(database_url)
    with FaultyProxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        yield proxy, url.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)


@on_sqlite
@pytest.mark.parametrize("limits", [{"contact_daily_limit": 100}, {"monthly_budget_usd": 100}])
def test_a_transaction_that_is_late_does_not_fail_the_call(
    start_server: StartServer, openai: OpenAIStandIn, limits: dict[str, Any]
) -> None:
    server = start_server(deadline_seconds=0.8)
    alice = server.add_organization("alice")
    alice.change(fallback_message=FALLBACK, **limits)
    with without_a_connection(server):  # its thread waits for longer than the call
        require_error(alice.ask(), "overloaded", FALLBACK)
