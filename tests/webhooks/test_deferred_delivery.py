"""Delivery to Glific: transient failures are retried, and permanent failures are explained."""

import pytest

from tests.conftest import StartServer
from tests.support.deferred import (
    create_connected_organization,
    find_call,
    pending_call_id,
    respond_first,
    resumed_result,
)
from tests.support.glific_behaviours import (
    Behaviour,
    close_connection,
    errors,
    forget_tokens,
    graphql_errors,
    never_respond,
    not_waiting_error,
    rate_limit,
    respond,
    send_empty_body,
    send_html,
    server_error,
    truncate_body,
)
from tests.support.glific_stand_in import PHONE, GlificStandIn
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases

DELIVERED = "Glific accepted the answer, and the flow continues."

TRANSIENT_FAILURES: dict[str, tuple[list[Behaviour], int]] = {
    "500": ([server_error()], 2),
    "502, a page": ([send_html(502)], 2),
    "429": ([rate_limit("1")], 2),
    "200 and nothing": ([send_empty_body()], 2),
    "a closed connection": ([close_connection()], 2),
    "half a reply": ([truncate_body()], 2),
    "not waiting, as a list": ([errors([not_waiting_error(21)])], 2),
    "not waiting, as an object": ([errors(not_waiting_error(21))], 2),
    "one after the other": ([server_error(503), errors([not_waiting_error(21)])], 3),
    "no token": ([forget_tokens()], 1),
}
"""Behaviours of Glific, with the number of attempts until delivery."""

PERMANENT_FAILURES: dict[str, Behaviour] = {
    "not found": errors([{"key": "contact", "message": "Resource not found"}]),
    "an object": errors({"key": "flow", "message": "Asha 919876543210 may not"}),
    "no right": graphql_errors("Unauthorized"),
    "404": respond(404, {"errors": {"detail": "Asha 919876543210 is not here"}}),
}


@pytest.fixture
def alice(server_with_worker: RunningServer, glific: GlificStandIn) -> TestOrganization:
    return create_connected_organization(server_with_worker, glific)


def test_it_delivers_after_a_transient_failure(alice: TestOrganization, glific: GlificStandIn) -> None:
    names = dict(enumerate(TRANSIENT_FAILURES, 101))
    glific.always(respond_first({contact: TRANSIENT_FAILURES[name][0] for contact, name in names.items()}))
    calls = {contact: pending_call_id(alice.ask_deferred(contact=contact)) for contact in names}
    for contact, name in names.items():
        row = alice.wait_for_delivery(calls[contact])
        assert (row.state, row.attempts, row.last_response) == ("delivered", TRANSIENT_FAILURES[name][1], DELIVERED), (
            name
        )
        assert resumed_result(glific, contact)["call_id"] == calls[contact]
        assert find_call(alice, calls[contact])["status"] == "ok"


def test_it_retries_until_the_flow_waits(alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.wait_later(resumes=2)
    call_id = pending_call_id(alice.ask_deferred())
    row = alice.wait_for_delivery(call_id)
    assert (row.state, row.attempts, row.possibly_delivered) == ("delivered", 3, False)
    assert [resumed.delivered for resumed in glific.resumptions] == [False, False, True]
    assert len({str(resumed.result) for resumed in glific.resumptions}) == 1


def test_it_waits_for_the_retry_after_of_glific(alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.will(rate_limit("1"))
    alice.wait_for_delivery(pending_call_id(alice.ask_deferred()))
    first, second = [request.at for request in glific.requests if request.path == "/api"]
    assert 1.0 <= second - first < 15  # without Retry-After: at most 0.5


def test_a_permanent_failure_is_explained_and_not_retried(alice: TestOrganization, glific: GlificStandIn) -> None:
    names = dict(enumerate(PERMANENT_FAILURES, 101))
    glific.always(respond_first({contact: [PERMANENT_FAILURES[name]] * 9 for contact, name in names.items()}))
    calls = {contact: pending_call_id(alice.ask_deferred(contact=contact)) for contact in names}
    for contact, name in names.items():
        row, call = alice.wait_for_delivery(calls[contact]), find_call(alice, calls[contact])
        assert (row.state, row.attempts) == ("undelivered", 1), name
        assert (call["status"], call["error_code"]) == ("error", "undelivered")
        assert str(row.last_response).startswith("Glific ")
        assert "Asha" not in str(row.last_response)
        assert "9198" not in str(row.last_response)
    assert glific.resumptions == []


def test_a_refused_login_is_explained(alice: TestOrganization, glific: GlificStandIn) -> None:
    glific.accounts[PHONE] = "another password"
    row = alice.wait_for_delivery(pending_call_id(alice.ask_deferred()))
    assert (row.state, row.attempts) == ("undelivered", 1)
    assert row.last_response == "Glific does not accept this phone number and password. Check both, and connect again."


def test_an_undelivered_error_keeps_its_own_error_code(
    alice: TestOrganization, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    openai.always(out_of_credit())
    glific.always(server_error(404))
    call_id = pending_call_id(alice.ask_deferred())
    assert alice.wait_for_delivery(call_id).state == "undelivered"
    assert find_call(alice, call_id)["error_code"] == "insufficient_quota"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_retries_after_glific_was_silent_for_15_seconds(start_server: StartServer, glific: GlificStandIn) -> None:
    alice = create_connected_organization(start_server(with_worker=True), glific)
    glific.will(never_respond())
    row = alice.wait_for_delivery(pending_call_id(alice.ask_deferred()), seconds=30)
    assert (row.state, row.attempts, row.possibly_delivered) == ("delivered", 2, True)
