"""The event loop: whatever one organization sends, the calls of the others are answered meanwhile."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest

from tests.conftest import StartServer
from tests.support import http
from tests.support.deferred import create_connected_organization, pending_call_id, wait_until
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, never_respond
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS
from tests.webhooks.assertions import require_ok

CALLS = 3
DEADLINE_SECONDS = 12
"""A call that waits this long on the event loop keeps all others waiting."""
FROM_GLIFIC = {"question_text": "What is ORS?", "contact": {"id": 21}, "flow_id": "5", "organization_id": 17}
AUTO_QUERIES = ("?m%6fde=auto", "?%6D%6F%64%65=%61%75%74%6F", "?mode=auto", "?x=1&mod%65=auto&mode=sync")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CALLS) as threads:
        yield threads


@pytest.mark.both_databases
@pytest.mark.parametrize("query", AUTO_QUERIES)
def test_a_call_that_may_be_deferred_does_not_stop_the_others(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, pool: ThreadPoolExecutor, query: str
) -> None:
    server = start_server(with_worker=True, deadline_seconds=DEADLINE_SECONDS)
    alice, bob = create_connected_organization(server, glific), server.add_organization("bob")
    openai.for_key(alice.key, never_respond())
    attack: list[Future[httpx2.Response]] = [pool.submit(alice.post, FROM_GLIFIC, query=query) for _ in range(CALLS)]
    wait_until(lambda: len(openai.requests) == CALLS)
    assert http.get(f"{server.url}/livez", timeout=TIMEOUT_SECONDS).status_code == 200
    assert require_ok(bob.ask())
    assert not any(call.done() for call in attack)
    openai.reset()  # ends the attack


@pytest.mark.parametrize("query", AUTO_QUERIES)
def test_an_encoded_mode_is_the_mode(
    start_server: StartServer, openai: OpenAIStandIn, glific: GlificStandIn, query: str
) -> None:
    alice = create_connected_organization(start_server(with_worker=True, deadline_seconds=0.3), glific)
    openai.always(answer("Salt.", after=1.0))
    assert alice.wait_for_delivery(pending_call_id(alice.post(FROM_GLIFIC, query=query))).state == "delivered"
