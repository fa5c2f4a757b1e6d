"""Routes of calls."""

import httpx2

from glific_gpt.operations import worker
from tests.api.client import Client, assert_problem
from tests.support.glific_behaviours import answer as glific_answer
from tests.support.glific_behaviours import errors
from tests.support.glific_stand_in import GlificStandIn
from tests.support.house import House, Ngo

OF_ALICE = "/organizations/alice/calls"


def test_it_lists_an_organizations_own_calls_newest_first(alices: Client, alice: Ngo, bob: Ngo) -> None:
    older = alice.ask("First?").json()["call_id"]
    bob.ask()
    newer = alice.ask("", gpt_model="gpt-4o-mini").json()["call_id"]
    page = alices.get(OF_ALICE).json()
    assert [row["call_id"] for row in page] == [newer, older]
    assert page == alice.calls()


def test_a_call_holds_neither_question_nor_answer(alices: Client, alice: Ngo) -> None:
    answer = alice.ask("Where is Asha's clinic?").json()["parsed_msg"]
    shown = alices.get(OF_ALICE).text
    assert "Asha" not in shown
    assert answer not in shown


def test_pages_hold_every_call_once(alices: Client, alice: Ngo) -> None:
    made = [alice.ask().json()["call_id"] for _ in range(5)]
    seen, address = [], f"{OF_ALICE}?limit=2&status=ok"
    while address:
        page = alices.get(address)
        seen += [row["call_id"] for row in page.json()]
        address = page.links.get("next", {}).get("url", "").removeprefix("/api/v1")
    assert seen == made[::-1]


def test_a_full_last_page_has_no_next(alices: Client, alice: Ngo) -> None:
    alice.ask()
    assert alices.get(f"{OF_ALICE}?limit=1").links == {}


def test_it_lists_calls_of_one_status(alices: Client, alice: Ngo) -> None:
    alice.ask()
    failed = alice.ask("").json()["call_id"]
    page = alices.get(f"{OF_ALICE}?status=error").json()
    assert [row["call_id"] for row in page] == [failed]
    assert alices.get(f"{OF_ALICE}?status=pending").json() == []


def test_a_foreign_call_is_no_place_to_go_on_from(alices: Client, bob: Ngo) -> None:
    foreign = alices.get(f"{OF_ALICE}?before={bob.ask().json()['call_id']}")
    absent = alices.get(f"{OF_ALICE}?before=call_{'0' * 24}")
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


def test_a_query_that_cannot_be_is_refused(alices: Client) -> None:
    for query, about in WRONG_QUERIES:
        assert_problem(alices.get(f"{OF_ALICE}?{query}"), 422, "invalid_value", about)


REFUSAL = errors({"key": "contact", "message": "Resource not found"})
"""Which no second try would change."""


def retry(client: Client, call_id: str, slug: str = "alice") -> httpx2.Response:
    return client.post(f"/organizations/{slug}/calls/{call_id}/retry")


def given_up(house: House, glific: GlificStandIn, alice: Ngo) -> str:
    """The id of a call whose answer Glific did not take; from then on it takes everything, and nobody works."""
    alice.connect(glific)
    glific.always(REFUSAL)
    call_id = str(alice.ask_later().json()["call_id"])
    worker.launch(house.app, listens=True)
    assert alice.settled(call_id).state == "undelivered"
    house.services.engine.stop(5)
    glific.always(glific_answer())
    return call_id


def test_it_shows_the_whole_story_of_a_call_and_tries_its_answer_again(
    house: House, glific: GlificStandIn, alices: Client, alice: Ngo
) -> None:
    call_id = given_up(house, glific, alice)
    before = alices.get(f"{OF_ALICE}/{call_id}")
    (listed,) = alice.calls()
    assert before.status_code == 200
    assert {key: before.json()[key] for key in listed} == listed
    assert (before.json()["delivery"], before.json()["tries"]) == ("undelivered", 1)
    again = retry(alices, call_id)
    assert again.status_code == 202
    assert again.json().keys() == before.json().keys()
    assert (again.json()["status"], again.json()["delivery"], again.json()["given_up_at"]) == (
        "pending",
        "waiting",
        None,
    )
    assert_problem(retry(alices, call_id), 409, "conflict", "on its way")
    worker.launch(house.app, listens=True)
    alice.settled(call_id)
    after = alices.get(f"{OF_ALICE}/{call_id}").json()
    assert (after["status"], after["delivery"], after["resumed_at"] is None) == ("ok", "delivered", False)
    assert_problem(retry(alices, call_id), 409, "conflict", "has reached its flow already")


def test_a_call_that_was_answered_in_its_request_has_a_story_and_no_retry(alices: Client, alice: Ngo) -> None:
    call_id = alice.ask().json()["call_id"]
    story = alices.get(f"{OF_ALICE}/{call_id}").json()
    assert [story[key] for key in ("accepted_at", "delivery", "tries", "said")] == [None, None, 0, None]
    assert_problem(retry(alices, call_id), 409, "conflict", "nothing to deliver")


def test_bob_can_neither_see_nor_retry_alices_call(
    house: House, glific: GlificStandIn, bobs: Client, alice: Ngo
) -> None:
    call_id = given_up(house, glific, alice)
    for slug in ("alice", "bob"):
        foreign = bobs.get(f"/organizations/{slug}/calls/{call_id}")
        assert_problem(foreign, 404, "not_found")
        assert foreign.content == bobs.get(f"/organizations/{slug}/calls/call_{'0' * 24}").content
        assert retry(bobs, call_id, slug).content == foreign.content
    assert alice.delivery(call_id).state == "undelivered"


def test_an_address_that_no_call_can_have_is_not_found(alices: Client) -> None:
    for wrong in ("x", "call_", "call_%00", f"call_{'0' * 99}"):
        assert_problem(alices.get(f"{OF_ALICE}/{wrong}"), 404, "not_found")
        assert_problem(retry(alices, wrong), 404, "not_found")
