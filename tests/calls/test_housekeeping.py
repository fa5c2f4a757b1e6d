"""What is done by the clock, when nobody calls."""

from datetime import timedelta

import time_machine
from sqlalchemy import select

from glific_gpt.calls.housekeeping import tidy
from glific_gpt.calls.tables import Call, StoredReply
from glific_gpt.clock import now
from glific_gpt.database import transaction
from tests.support.house import House, Ngo


def stored(house: House) -> list[str]:
    """The ids of the calls whose answers are stored."""
    with house.app.app_context(), transaction() as session:
        return list(session.scalars(select(StoredReply.call_id)))


def statuses(house: House) -> list[str]:
    """As they stand in the table: reading calls through the server would tidy up first."""
    with house.app.app_context(), transaction() as session:
        return list(session.scalars(select(Call.status).order_by(Call.id)))


def test_a_stored_answer_is_deleted_after_a_quarter_of_an_hour(house: House, alice: Ngo, bob: Ngo) -> None:
    key = {"Idempotency-Key": "a-key"}
    first = alice.post({"question_text": "What is ORS?"}, headers=key).json()["call_id"]
    with time_machine.travel(now() + timedelta(minutes=14)):
        second = bob.post({"question_text": "What is ORS?"}, headers=key).json()["call_id"]
        tidy(house.app)
        assert set(stored(house)) == {first, second}
    with time_machine.travel(now() + timedelta(minutes=16)):
        tidy(house.app)
        assert stored(house) == [second]


def test_a_call_that_nobody_works_on_any_more_is_marked_and_others_are_not(house: House, alice: Ngo) -> None:
    for _ in range(3):
        alice.ask()
    with house.app.app_context(), transaction() as session:
        killed, under_way, _ = session.scalars(select(Call).order_by(Call.id))
        killed.status = under_way.status = "started"
        killed.give_up_at, under_way.give_up_at = now() - timedelta(seconds=1), now() + timedelta(minutes=1)
    tidy(house.app)
    assert statuses(house) == ["interrupted", "started", "ok"]
