"""Routes of calls."""

import httpx2
import pytest

from glific_gpt.operations import worker
from tests.api.client import Client, assert_problem
from tests.support.glific_behaviours import answer as glific_answer
from tests.support.glific_behaviours import errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

ALICE_PATH = "/organizations/alice/calls"


def test_it_lists_an_organizations_own_calls_newest_first(
    alice_client: Client, alice: TestOrganization, bob: TestOrganization
) -> None:
    older = alice.ask("First?").json()["call_id"]
    bob.ask()
    newer = alice.ask("", gpt_model="gpt-4o-mini").json()["call_id"]
    page = alice_client.get(ALICE_PATH).json()
    assert [row["call_id"] for row in page] == [newer, older]
    assert page == alice.calls()


def test_a_call_contains_neither_question_nor_answer(alice_client: Client, alice: TestOrganization) -> None:
    answer = alice.ask("Where is Asha's clinic?").json()["parsed_msg"]
    shown = alice_client.get(ALICE_PATH).text
    assert "Asha" not in shown
    assert answer not in shown


def test_pages_contain_every_call_once(alice_client: Client, alice: TestOrganization) -> None:
    made = [alice.ask().json()["call_id"] for _ in range(5)]
    seen, address = [], f"{ALICE_PATH}?limit=2&status=ok"
    while address:
        page = alice_client.get(address)
        seen += [row["call_id"] for row in page.json()]
        address = page.links.get("next", {}).get("url", "").removeprefix("/api/v1")
    assert seen == made[::-1]


def test_a_full_last_page_has_no_link_to_a_next_page(alice_client: Client, alice: TestOrganization) -> None:
    alice.ask()
    assert alice_client.get(f"{ALICE_PATH}?limit=1").links == {}


def test_it_lists_calls_of_one_status(alice_client: Client, alice: TestOrganization) -> None:
    alice.ask()
    failed = alice.ask("").json()["call_id"]
    page = alice_client.get(f"{ALICE_PATH}?status=error").json()
    assert [row["call_id"] for row in page] == [failed]
    assert alice_client.get(f"{ALICE_PATH}?status=pending").json() == []


def test_a_call_of_another_organization_cannot_be_the_start_of_a_page(
    alice_client: Client, bob: TestOrganization
) -> None:
    foreign = alice_client.get(f"{ALICE_PATH}?before={bob.ask().json()['call_id']}")
    absent = alice_client.get(f"{ALICE_PATH}?before=call_{'0' * 24}")
    assert_problem(foreign, 404, "not_found")
    assert foreign.content == absent.content


WRONG_QUERIES = (
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=1001", "limit"),
    (f"limit={'9' * 5000}", "limit"),
    ("limit=x", "limit"),
    ("status=fine", "status"),
    ("before=call_%00", "before"),
    ("before=", "before"),
    ("page=2", "page"),
)


def test_an_invalid_query_is_refused(alice_client: Client) -> None:
    for query, about in WRONG_QUERIES:
        assert_problem(alice_client.get(f"{ALICE_PATH}?{query}"), 422, "invalid_value", about)


PERMANENT_FAILURE = errors({"key": "contact", "message": "Resource not found"})


def retry(client: Client, call_id: str, slug: str = "alice") -> httpx2.Response:
    return client.post(f"/organizations/{slug}/calls/{call_id}/retry")


def create_undelivered_call(server: RunningServer, glific: GlificStandIn, alice: TestOrganization) -> str:
    """Return the id of a call that Glific refused. After that Glific accepts everything, and no worker runs."""
    alice.connect(glific)
    glific.always(PERMANENT_FAILURE)
    call_id = str(alice.ask_deferred().json()["call_id"])
    worker.launch_engine(server.app, consumes=True)
    assert alice.wait_for_delivery(call_id).state == "undelivered"
    server.services.engine.stop(5)
    glific.always(glific_answer())
    return call_id


def test_it_shows_the_timeline_of_a_call_and_retries_its_delivery(
    server: RunningServer, glific: GlificStandIn, alice_client: Client, alice: TestOrganization
) -> None:
    call_id = create_undelivered_call(server, glific, alice)
    before = alice_client.get(f"{ALICE_PATH}/{call_id}")
    (listed,) = alice.calls()
    assert before.status_code == 200
    assert {key: before.json()[key] for key in listed} == listed
    assert (before.json()["delivery"], before.json()["attempts"]) == ("undelivered", 1)
    again = retry(alice_client, call_id)
    assert again.status_code == 202
    assert again.json().keys() == before.json().keys()
    assert (again.json()["status"], again.json()["delivery"], again.json()["given_up_at"]) == (
        "pending",
        "waiting",
        None,
    )
    assert_problem(retry(alice_client, call_id), 409, "conflict", "is being delivered")
    worker.launch_engine(server.app, consumes=True)
    alice.wait_for_delivery(call_id)
    after = alice_client.get(f"{ALICE_PATH}/{call_id}").json()
    assert (after["status"], after["delivery"], after["resumed_at"] is None) == ("ok", "delivered", False)
    assert_problem(retry(alice_client, call_id), 409, "conflict", "already has this answer")


def test_a_call_that_was_answered_directly_cannot_be_retried(alice_client: Client, alice: TestOrganization) -> None:
    call_id = alice.ask().json()["call_id"]
    call = alice_client.get(f"{ALICE_PATH}/{call_id}").json()
    assert [call[key] for key in ("accepted_at", "delivery", "attempts", "last_response")] == [None, None, 0, None]
    assert_problem(retry(alice_client, call_id), 409, "conflict", "nothing to deliver")


def test_another_organization_can_neither_see_nor_retry_a_call(
    server: RunningServer, glific: GlificStandIn, bob_client: Client, alice: TestOrganization
) -> None:
    call_id = create_undelivered_call(server, glific, alice)
    for slug in ("alice", "bob"):
        foreign = bob_client.get(f"/organizations/{slug}/calls/{call_id}")
        assert_problem(foreign, 404, "not_found")
        assert foreign.content == bob_client.get(f"/organizations/{slug}/calls/call_{'0' * 24}").content
        assert retry(bob_client, call_id, slug).content == foreign.content
    assert alice.delivery(call_id).state == "undelivered"


def test_an_invalid_call_id_is_not_found(alice_client: Client) -> None:
    for wrong in ("x", "call_", "call_%00", f"call_{'0' * 99}"):
        assert_problem(alice_client.get(f"{ALICE_PATH}/{wrong}"), 404, "not_found")
        assert_problem(retry(alice_client, wrong), 404, "not_found")
