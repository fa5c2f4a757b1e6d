"""Route of calls."""

from tests.api.client import Client, assert_problem
from tests.support.house import Ngo

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
