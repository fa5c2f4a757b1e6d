"""Two organizations under load on one server: no data of one reaches the other."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from glific_gpt.calls import queries
from glific_gpt.calls.tables import Call
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support import http
from tests.support.openai_behaviours import Echo, echo, out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TIMEOUT_SECONDS, TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes

pytestmark = pytest.mark.both_databases

CALLS = 150
"""Number of calls of each organization."""
THREADS = 40

MODELS = {"alice": "gpt-4o", "bob": "gpt-4o-mini"}


@dataclass(frozen=True)
class AnsweredCall:
    """A call and its reply."""

    test_organization: TestOrganization
    question: str
    contact_id: int
    status: int
    body: dict[str, Any]


@pytest.fixture
def server(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> Iterator[ServerProcesses]:
    openai.always(echo())
    with run_server_processes(
        tmp_path / "log", is_forked=True, database_url=database_url, openai_base_url=openai.base_url
    ) as server:
        yield server


def organization(server: ServerProcesses, slug: str) -> TestOrganization:
    return server.add_organization(slug, default_model=MODELS[slug], fallback_message=f"The fallback of {slug}.")


def call_concurrently(all_organizations: list[TestOrganization]) -> list[AnsweredCall]:
    """Make the calls of all organizations in random order from many threads."""
    numbered = [(test_organization, number) for number in range(CALLS) for test_organization in all_organizations]
    random.shuffle(numbered)
    with ThreadPoolExecutor(THREADS) as pool, http.Client(timeout=TIMEOUT_SECONDS) as client:
        return list(pool.map(lambda call: ask(client, *call), numbered))


def ask(client: httpx2.Client, test_organization: TestOrganization, number: int) -> AnsweredCall:
    question, contact_id = (
        f"Question {number} of {test_organization.slug}",
        1_000_000 * len(test_organization.slug) + number,
    )
    reply = client.post(
        test_organization.url,
        json={"question_text": question, "contact": {"id": contact_id}},
        # Both organizations use the same keys, as a stored reply also belongs to its organization.
        headers={"Authorization": f"Bearer {test_organization.token}", "Idempotency-Key": f"key-{number}"},
    )
    return AnsweredCall(test_organization, question, contact_id, reply.status_code, reply.json())


def rows(test_organization: TestOrganization) -> dict[str, Call]:
    with test_organization.server.app.app_context(), transaction() as session:
        organization = store.find(session, test_organization.slug)
        return {row.call_id: row for row in queries.list_calls(session, organization.id, limit=10 * CALLS)}


def require_own_answer(call: AnsweredCall) -> None:
    assert call.status == 200, call
    assert Echo.read(call.body["parsed_msg"]) == (
        call.test_organization.key[-4:],
        MODELS[call.test_organization.slug],
        call.question,
    )


def require_own_rows(test_organization: TestOrganization, all_calls: list[AnsweredCall]) -> None:
    """Assert that the organization has one row for each of its calls, and no other row."""
    calls, found = (
        [call for call in all_calls if call.test_organization is test_organization],
        rows(test_organization),
    )
    assert len(calls) == CALLS
    assert {call.body["call_id"]: call.contact_id for call in calls} == {
        call_id: row.contact_id for call_id, row in found.items()
    }
    assert {row.model_asked for row in found.values()} == {MODELS[test_organization.slug]}


def test_every_answer_key_and_row_stays_with_its_organization(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    alice, bob = organization(server, "alice"), organization(server, "bob")

    calls = call_concurrently([alice, bob])

    for call in calls:
        require_own_answer(call)
    for test_organization in (alice, bob):
        require_own_rows(test_organization, calls)
        assert {row.status for row in rows(test_organization).values()} == {"ok"}
    assert len(openai.requests) == 2 * CALLS
    assert {(sent.api_key, sent.question.split()[-1]) for sent in openai.requests} == {
        (alice.key, "alice"),
        (bob.key, "bob"),
    }


def test_an_organization_without_credit_does_not_affect_another(server: ServerProcesses, openai: OpenAIStandIn) -> None:
    alice, bob = organization(server, "alice"), organization(server, "bob")
    openai.for_key(alice.key, out_of_credit())

    calls = call_concurrently([alice, bob])

    for call in calls:
        if call.test_organization is bob:
            require_own_answer(call)
        else:
            assert (call.status, call.body["error_code"]) == (402, "insufficient_quota")
            assert call.body["parsed_msg"] == "The fallback of alice."
    for test_organization, status in ((alice, "error"), (bob, "ok")):
        require_own_rows(test_organization, calls)
        assert {row.status for row in rows(test_organization).values()} == {status}
