"""A process that is killed takes no answer with it: another one goes on where it was, and asks nothing twice."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL
from typing import Any, Protocol

import pytest

from tests.support.deferred import find_call, pending_call_id, resumed_result, wait_until
from tests.support.glific_behaviours import never_respond, server_error
from tests.support.glific_exchange import API_PATH
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, respond_after
from tests.support.openai_behaviours import never_respond as silent
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes

pytestmark = [pytest.mark.both_databases, pytest.mark.kills]


class Serve(Protocol):
    def __call__(self, **settings: Any) -> ServerProcesses: ...


@pytest.fixture
def serve(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> Iterator[Serve]:
    """Starts a server that also works on answers that come later."""
    with ExitStack() as stack:

        def start(**settings: Any) -> ServerProcesses:
            known = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
            folder = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(run_server_processes(folder, **(known | settings)))

        yield start


def create_connected_organization(server: ServerProcesses, glific: GlificStandIn) -> TestOrganization:
    alice = server.add_organization("alice")
    alice.connect(glific)
    return alice


def received_answer(glific: GlificStandIn) -> bool:
    return any(asked.path == API_PATH for asked in glific.requests)


def test_a_kill_before_delivery_does_not_ask_openai_again(
    serve: Serve, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    first = serve()
    alice = create_connected_organization(first, glific)
    openai.always(answer("Sugar and salt."))
    glific.always(never_respond())
    call_id = pending_call_id(alice.ask_deferred())
    wait_until(lambda: received_answer(glific))
    first.program.send_all(SIGKILL)
    glific.reset()
    serve()
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."
    assert len(openai.requests) == 1
    row = alice.delivery(call_id)
    assert (row.attempts, row.possibly_delivered) == (2, True)
    assert find_call(alice, call_id)["status"] == "ok"


def test_a_kill_between_two_delivery_attempts_loses_no_answer(
    serve: Serve, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    first = serve()
    alice = create_connected_organization(first, glific)
    openai.always(answer("Sugar and salt."))
    glific.always(server_error())
    call_id = pending_call_id(alice.ask_deferred())
    wait_until(lambda: alice.delivery(call_id).attempts > 1)
    first.program.send_all(SIGKILL)
    glific.reset()
    serve()
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."
    assert len(openai.requests) == 1


def test_a_kill_while_openai_answers_asks_openai_once_more(
    serve: Serve, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    """A call of each kind: accepted at once, and handed over when its time was up."""
    first = serve(deadline_seconds=1)
    alice = create_connected_organization(first, glific)
    openai.always(silent())
    at_once = pending_call_id(alice.ask_deferred())
    late = pending_call_id(alice.ask_deferred("auto", contact=22))
    wait_until(lambda: len(openai.requests) == 2)
    first.program.send_all(SIGKILL)
    openai.reset()
    openai.always(respond_after(0.1, answer("Sugar and salt.")))
    serve()
    for contact, call_id in ((21, at_once), (22, late)):
        assert alice.wait_for_delivery(call_id).state == "delivered"
        assert resumed_result(glific, contact)["parsed_msg"] == "Sugar and salt."
    assert len(openai.requests) == 2
