"""Delivery attempts: their results, the delays between them, and the time after which they end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import update

from glific_gpt.calls.deferred.delivery import next_delay
from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.glific.resumption import DeliveryResult, DeliveryStatus, refusal
from tests.conftest import StartServer
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    pending_call_id,
    resumed_result,
    retry_delivery,
)
from tests.support.glific_behaviours import (
    answer,
    close_connection,
    drop_reply,
    errors,
    not_waiting_error,
    rate_limit,
    server_error,
)
from tests.support.glific_exchange import GlificExchange
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

PHRASE = "a phrase that only Glific knows"
AFTER_RETRY_PERIOD = timedelta(seconds=61)
"""Longer than a flow may take to reach its waiting node."""


NOT_WAITING = DeliveryResult(DeliveryStatus.NOT_WAITING, "The flow is not waiting.")
TRY_LATER = DeliveryResult(DeliveryStatus.TRY_LATER, "Glific has an internal error.")
RETRY_PERIODS = {NOT_WAITING: timedelta(seconds=60), TRY_LATER: timedelta(minutes=15)}
MILLISECOND = timedelta(milliseconds=1)
NO_ELAPSED_TIME = timedelta(0)

for_each_retryable_result = pytest.mark.parametrize("result", RETRY_PERIODS, ids=lambda result: result.status)


@pytest.fixture
def glific(request: pytest.FixtureRequest) -> Iterator[GlificStandIn]:
    """Glific. With the parameter True, each flow waits only once."""
    with GlificStandIn(one_wait_each=getattr(request, "param", False)) as stand_in:
        yield stand_in


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """A connected organization. Only the test itself runs the workflow."""
    return create_connected_organization(server, glific)


@pytest.fixture
def call_id(alice: TestOrganization) -> str:
    """The id of a call with a stored answer that is not yet delivered."""
    return answer_call(alice)


def answer_call(organization: TestOrganization, **body: Any) -> str:
    call_id = pending_call_id(organization.ask_deferred(**body))
    with organization.server.app.app_context():
        organization.server.services.deferred_workflow.answer.run(call_id)
    return call_id


def deliver(server: RunningServer, call_id: str) -> float | None:
    """Make one delivery attempt. Returns the seconds until the next one, or None at the end."""
    with server.app.app_context():
        return server.services.deferred_workflow.delivery.run(call_id)


def test_it_gives_up_when_the_flow_never_waits(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.wait_later(resumes=99)
    assert deliver(server, call_id)
    assert alice.delivery(call_id).state == "waiting"
    with time_machine.travel(now() + AFTER_RETRY_PERIOD):
        assert deliver(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, row.attempts, row.possibly_delivered) == ("undelivered", 2, False)
    assert (
        row.last_response
        == "The flow is not waiting for a result: it has not reached its waiting node yet, or has left it."
    )
    assert (find_call(alice, call_id)["status"], find_call(alice, call_id)["error_code"]) == ("error", "undelivered")


@pytest.mark.parametrize("glific", [True], indirect=True)
def test_a_lost_reply_without_a_later_success_is_uncertain(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(drop_reply())
    assert deliver(server, call_id)
    assert alice.delivery(call_id).possibly_delivered
    assert deliver(server, call_id)
    with time_machine.travel(now() + AFTER_RETRY_PERIOD):
        assert deliver(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, row.attempts) == ("uncertain", 3)
    assert (find_call(alice, call_id)["status"], find_call(alice, call_id)["error_code"]) == ("error", "uncertain")
    assert [resumed.delivered for resumed in glific.resumptions] == [True, False, False]


def test_a_later_success_resolves_an_uncertain_attempt(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(close_connection(), server_error())
    assert deliver(server, call_id)
    assert deliver(server, call_id)
    assert deliver(server, call_id) is None
    assert (alice.delivery(call_id).state, alice.delivery(call_id).attempts) == ("delivered", 3)
    assert find_call(alice, call_id)["status"] == "ok"


def test_an_attempt_in_a_killed_process_is_uncertain(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    with server.app.app_context(), transaction() as session:
        session.execute(update(Delivery).values(attempts=1, possibly_delivered=True))
    glific.always(errors([not_waiting_error(21)]))
    assert deliver(server, call_id)
    with time_machine.travel(now() + AFTER_RETRY_PERIOD):
        assert deliver(server, call_id) is None
    assert (alice.delivery(call_id).state, alice.delivery(call_id).attempts) == ("uncertain", 3)


def test_an_attempt_is_uncertain_while_glific_has_not_responded(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    stored: list[bool] = []

    def respond(exchange: GlificExchange) -> None:
        stored.append(alice.delivery(call_id).possibly_delivered)
        answer()(exchange)

    glific.will(respond)
    assert deliver(server, call_id) is None
    assert stored == [True]
    assert not alice.delivery(call_id).possibly_delivered


def test_a_delivery_that_ended_during_its_attempt_is_not_continued(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    """Housekeeping in another process may give a delivery up meanwhile."""

    def respond(exchange: GlificExchange) -> None:
        with server.app.app_context(), transaction() as session:
            session.execute(update(Delivery).values(state="undelivered", last_response="Given up."))
        server_error(503)(exchange)

    glific.will(respond)
    assert deliver(server, call_id) is None
    assert (alice.delivery(call_id).state, alice.delivery(call_id).last_response) == ("undelivered", "Given up.")


def test_it_gives_up_after_15_minutes_of_glific_errors(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.always(server_error(503))
    started_at = now()
    for minutes in (1, 14):
        with time_machine.travel(started_at + timedelta(minutes=minutes)):
            assert deliver(server, call_id)
    with time_machine.travel(started_at + timedelta(minutes=16)):
        assert deliver(server, call_id) is None
    row = alice.delivery(call_id)
    assert row.state == "undelivered"
    assert str(row.last_response).startswith("Glific had an internal error (status 503)")


def test_it_deletes_the_answer_once_it_is_delivered(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(rate_limit("7"))
    assert alice.delivery(call_id).question is None
    assert deliver(server, call_id) == 7.0
    assert alice.delivery(call_id).answer
    assert deliver(server, call_id) is None
    assert alice.delivery(call_id).answer is None


def test_it_delivers_an_answer_once(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    assert deliver(server, call_id) is None
    assert deliver(server, call_id) is None
    assert deliver(server, "call_unknown") is None
    assert len(glific.resumptions) == 1
    assert alice.delivery(call_id).attempts == 1


def test_an_answer_that_this_process_cannot_decrypt_waits_for_another_one(
    server: RunningServer, alice: TestOrganization, start_server: StartServer, glific: GlificStandIn, call_id: str
) -> None:
    other = start_server(encryption_keys=Fernet.generate_key().decode())
    assert deliver(other, call_id) == 1.0
    row = alice.delivery(call_id)
    assert (row.state, row.attempts, glific.requests) == ("waiting", 0, [])
    assert "cannot read its stored secrets" in str(row.last_response)
    with time_machine.travel(now() + timedelta(seconds=60)):
        assert deliver(other, call_id) == pytest.approx(15, abs=1)
    with time_machine.travel(now() + timedelta(minutes=50)):
        assert deliver(other, call_id) == 30.0
    assert deliver(server, call_id) is None
    assert alice.delivery(call_id).state == "delivered"


def test_an_answer_is_not_delivered_an_hour_after_its_call_unless_the_call_says_that_the_flow_waits_longer(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    with time_machine.travel(now() + timedelta(minutes=61)):
        assert deliver(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, glific.resumptions) == ("undelivered", [])
    assert "stopped waiting" in str(row.last_response)
    patient = answer_call(alice, wait_seconds=7200)
    with time_machine.travel(now() + timedelta(minutes=61)):
        assert deliver(server, patient) is None
    assert alice.delivery(patient).state == "delivered"


def test_it_counts_no_attempt_without_a_request_to_glific(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    assert server.app.test_cli_runner().invoke(args=["glific", "disconnect", "alice"]).exit_code == 0
    assert deliver(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, glific.requests) == ("undelivered", [])
    assert row.attempts == 0


def test_a_signed_call_is_made_two_seconds_after_acceptance(server: RunningServer, glific: GlificStandIn) -> None:
    bob = server.add_organization("bob")
    bob.connect_signed(glific, PHRASE)
    call_id = answer_call(bob)
    delay = deliver(server, call_id)
    assert delay is not None
    assert 0 < delay <= 2
    assert (glific.requests, bob.delivery(call_id).attempts) == ([], 0)
    with time_machine.travel(now() + timedelta(seconds=2.1)):
        assert deliver(server, call_id) is None
    assert (len(glific.resumptions), bob.delivery(call_id).state) == (1, "delivered")


def get_longest_delay(result: DeliveryResult, attempts: int) -> float:
    """Return the longest of many delays, because jitter shortens each one."""
    return max(next_delay(result, attempts, NO_ELAPSED_TIME) or 0 for _ in range(200))


def get_shortest_delay(result: DeliveryResult, attempts: int) -> float:
    return min(next_delay(result, attempts, NO_ELAPSED_TIME) or 0 for _ in range(200))


@pytest.mark.parametrize("result", [DeliveryResult(DeliveryStatus.DELIVERED, "Delivered."), refusal("No.")])
def test_a_delivered_or_refused_answer_is_not_retried(result: DeliveryResult) -> None:
    assert next_delay(result, 1, NO_ELAPSED_TIME) is None


@for_each_retryable_result
def test_an_answer_is_retried_until_its_retry_period_ends(result: DeliveryResult) -> None:
    assert next_delay(result, 30, RETRY_PERIODS[result] - MILLISECOND)
    assert next_delay(result, 30, RETRY_PERIODS[result] + MILLISECOND) is None


@pytest.mark.parametrize("retry_after", [0.0, 3.0, 60.0])
def test_retry_after_does_not_extend_the_retry_period(retry_after: float) -> None:
    assert (
        next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", retry_after), 1, timedelta(minutes=15) + MILLISECOND)
        is None
    )


@for_each_retryable_result
def test_delays_double_from_half_a_second(result: DeliveryResult) -> None:
    for attempts, seconds in ((1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0)):
        assert seconds * 0.8 <= get_shortest_delay(result, attempts) < get_longest_delay(result, attempts) <= seconds


def test_delays_stay_short_for_a_flow_and_grow_longer_for_glific_errors() -> None:
    assert 3.2 <= get_longest_delay(NOT_WAITING, 5) <= 4.0
    assert 3.2 <= get_longest_delay(NOT_WAITING, 1000) <= 4.0
    assert 6.4 <= get_longest_delay(TRY_LATER, 5) <= 8.0
    assert 24.0 <= get_longest_delay(TRY_LATER, 7) <= 30.0
    assert 24.0 <= get_longest_delay(TRY_LATER, 1000) <= 30.0


@for_each_retryable_result
def test_delays_have_jitter(result: DeliveryResult) -> None:
    assert len({next_delay(result, 3, NO_ELAPSED_TIME) for _ in range(20)}) > 1


@pytest.mark.parametrize("retry_after", [1.0, 7.5, 60.0])
def test_a_delay_follows_retry_after(retry_after: float) -> None:
    for attempts in (1, 2, 9):
        assert (
            next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", retry_after), attempts, NO_ELAPSED_TIME)
            == retry_after
        )


def test_a_delay_is_never_zero() -> None:
    """Glific, or a proxy before it, may send 'Retry-After: 0' during a failure."""
    assert (next_delay(DeliveryResult(DeliveryStatus.TRY_LATER, "", 0.0), 5, NO_ELAPSED_TIME) or 0) >= 0.4


def test_a_question_that_is_retried_after_an_hour_is_answered_and_delivered(
    server: RunningServer, alice: TestOrganization, start_server: StartServer, glific: GlificStandIn
) -> None:
    call_id = pending_call_id(alice.ask_deferred())
    other = start_server(encryption_keys=Fernet.generate_key().decode())
    later = now() + timedelta(minutes=70)
    with time_machine.travel(later, tick=False), other.app.app_context():
        assert other.services.deferred_workflow.answer.run(call_id) is None
    assert alice.delivery(call_id).state == "undelivered"
    with time_machine.travel(later + timedelta(minutes=1), tick=False):
        retry_delivery(alice, call_id)
    with time_machine.travel(later + timedelta(minutes=2), tick=False), server.app.app_context():
        server.services.deferred_workflow.answer.run(call_id)
        assert server.services.deferred_workflow.delivery.run(call_id) is None
    assert alice.delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["status"] == "ok"
