"""One try after the other: when an answer counts as arrived, as lost, and as neither."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from sqlalchemy import update

from glific_gpt.calls.tables import Delivery
from glific_gpt.clock import now
from glific_gpt.database import transaction
from tests.conftest import StartServer
from tests.support.glific_behaviours import errors, hang_up, lose_the_reply, not_waiting, rate_limit, server_error
from tests.support.glific_stand_in import GlificStandIn
from tests.support.later import call_of, connected_organization, pending
from tests.support.server import RunningServer, TestOrganization

PHRASE = "a phrase that only Glific knows"
PATIENCE = timedelta(seconds=61)
"""Longer than a flow may be on its way to the node that waits."""


@pytest.fixture
def glific(request: pytest.FixtureRequest) -> Iterator[GlificStandIn]:
    """With the parameter True each flow waits once."""
    with GlificStandIn(one_wait_each=getattr(request, "param", False)) as stand_in:
        yield stand_in


@pytest.fixture
def alice(server: RunningServer, glific: GlificStandIn) -> TestOrganization:
    """Nobody works in her server but the test itself."""
    return connected_organization(server, glific)


@pytest.fixture
def call_id(alice: TestOrganization) -> str:
    """A call that has its answer, of which nobody was told yet."""
    return answered(alice)


def answered(organization: TestOrganization) -> str:
    call_id = pending(organization.ask_later())
    with organization.server.app.app_context():
        organization.server.services.deferred_workflow.answer.run(call_id)
    return call_id


def tell(server: RunningServer, call_id: str) -> float | None:
    """One try; seconds until the next."""
    with server.app.app_context():
        return server.services.deferred_workflow.delivery.run(call_id)


def test_it_waits_for_a_flow_and_gives_up_when_it_never_waits(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.parks_late(resumes=99)
    assert tell(server, call_id)
    assert alice.delivery(call_id).state == "waiting"
    with time_machine.travel(now() + PATIENCE):
        assert tell(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, row.attempts, row.possibly_delivered) == ("undelivered", 2, False)
    assert (
        row.last_response
        == "The flow is not waiting for a result: it has not reached its waiting node yet, or has left it."
    )
    assert (call_of(alice, call_id)["status"], call_of(alice, call_id)["error_code"]) == ("error", "undelivered")


@pytest.mark.parametrize("glific", [True], indirect=True)
def test_it_does_not_know_what_became_of_an_answer_when_the_reply_was_lost_and_nobody_waits_after(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(lose_the_reply())
    assert tell(server, call_id)
    assert alice.delivery(call_id).possibly_delivered
    assert tell(server, call_id)
    with time_machine.travel(now() + PATIENCE):
        assert tell(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, row.attempts) == ("uncertain", 3)
    assert (call_of(alice, call_id)["status"], call_of(alice, call_id)["error_code"]) == ("error", "uncertain")
    assert [resumed.delivered for resumed in glific.resumptions] == [True, False, False]


def test_it_knows_after_all_when_a_later_try_arrives(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(hang_up(), server_error())
    assert tell(server, call_id)
    assert tell(server, call_id)
    assert tell(server, call_id) is None
    assert (alice.delivery(call_id).state, alice.delivery(call_id).attempts) == ("delivered", 3)
    assert call_of(alice, call_id)["status"] == "ok"


def test_it_is_as_uncertain_of_a_try_in_which_the_process_was_killed(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    with server.app.app_context(), transaction() as session:
        session.execute(update(Delivery).values(attempts=1, possibly_delivered=True))
    glific.always(errors([not_waiting(21)]))
    assert tell(server, call_id)
    with time_machine.travel(now() + PATIENCE):
        assert tell(server, call_id) is None
    assert (alice.delivery(call_id).state, alice.delivery(call_id).attempts) == ("uncertain", 3)


def test_it_gives_up_a_glific_that_is_in_trouble_for_a_quarter_of_an_hour(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.always(server_error(503))
    began = now()
    for minutes in (1, 14):
        with time_machine.travel(began + timedelta(minutes=minutes)):
            assert tell(server, call_id)
    with time_machine.travel(began + timedelta(minutes=16)):
        assert tell(server, call_id) is None
    row = alice.delivery(call_id)
    assert row.state == "undelivered"
    assert str(row.last_response).startswith("Glific had an internal error (status 503)")


def test_it_keeps_the_answer_until_it_has_arrived_and_no_longer(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    glific.will(rate_limit("7"))
    assert alice.delivery(call_id).question is None
    assert tell(server, call_id) == 7.0
    assert alice.delivery(call_id).answer
    assert tell(server, call_id) is None
    assert alice.delivery(call_id).answer is None


def test_it_tells_nobody_twice(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    assert tell(server, call_id) is None
    assert tell(server, call_id) is None
    assert tell(server, "call_of_nobody") is None
    assert len(glific.resumptions) == 1
    assert alice.delivery(call_id).attempts == 1


def test_it_says_that_an_answer_cannot_be_read_any_more(
    alice: TestOrganization, start_server: StartServer, glific: GlificStandIn, call_id: str
) -> None:
    there = TestOrganization(
        start_server(encryption_keys=Fernet.generate_key().decode()), "alice", alice.token, alice.key
    )
    there.connect(glific)
    assert tell(there.server, call_id) is None
    row = there.delivery(call_id)
    assert (row.state, glific.requests) == ("undelivered", [])
    assert "Ask the question again" in str(row.last_response)


def test_it_counts_no_try_in_which_glific_was_not_told(
    server: RunningServer, alice: TestOrganization, glific: GlificStandIn, call_id: str
) -> None:
    assert server.app.test_cli_runner().invoke(args=["glific", "disconnect", "alice"]).exit_code == 0
    assert tell(server, call_id) is None
    row = alice.delivery(call_id)
    assert (row.state, glific.requests) == ("undelivered", [])
    assert row.attempts == 0


def test_it_makes_a_signed_call_two_seconds_after_the_call_was_accepted(
    server: RunningServer, glific: GlificStandIn
) -> None:
    bob = server.add_organization("bob")
    bob.connect_signed(glific, PHRASE)
    call_id = answered(bob)
    early = tell(server, call_id)
    assert early is not None
    assert 0 < early <= 2
    assert (glific.requests, bob.delivery(call_id).attempts) == ([], 0)
    with time_machine.travel(now() + timedelta(seconds=2.1)):
        assert tell(server, call_id) is None
    assert (len(glific.resumptions), bob.delivery(call_id).state) == (1, "delivered")
