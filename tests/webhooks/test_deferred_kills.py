"""A killed process loses no answer: another process continues its calls from the last stored step."""

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
from tests.support.openai_exchange import Behaviour
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization
from tests.support.serving import ServerProcesses, run_server_processes

pytestmark = [pytest.mark.both_databases, pytest.mark.kills]


class Serve(Protocol):
    def __call__(self, **settings: Any) -> ServerProcesses: ...


@pytest.fixture
def serve(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> Iterator[Serve]:
    """Return a function that starts a server with a worker."""
    with ExitStack() as stack:

        def start(**settings: Any) -> ServerProcesses:
            defaults = {"database_url": database_url, "openai_base_url": openai.base_url, "glific_hosts": "127.0.0.1"}
            folder = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(run_server_processes(folder, is_forked=True, **(defaults | settings)))

        yield start


def create_connected_organization(server: ServerProcesses, glific: GlificStandIn) -> TestOrganization:
    alice = server.add_organization("alice")
    alice.connect(glific)
    return alice


def received_answer(glific: GlificStandIn) -> bool:
    return any(request.path == API_PATH for request in glific.requests)


def kill_and_restart(server: ServerProcesses, serve: Serve, glific: GlificStandIn) -> None:
    """Kill the server, let Glific answer as usual again, and start another server on the same database."""
    server.program.send_all(SIGKILL)
    glific.reset()
    serve()


def require_one_answer(openai: OpenAIStandIn, glific: GlificStandIn) -> None:
    assert resumed_result(glific, 21)["parsed_msg"] == "Sugar and salt."
    assert len(openai.requests) == 1


def answer_or_search(openai: OpenAIStandIn) -> Behaviour:
    """Answer a question, from the documents if it names a vector store."""
    by_search, plain = openai.searching("Sugar and salt 【4:0†source】."), answer("Sugar and salt.")
    return lambda exchange: (by_search if "tools" in exchange.received.body else plain)(exchange)


def test_a_kill_before_delivery_does_not_ask_openai_again(
    serve: Serve, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    first = serve()
    alice = create_connected_organization(first, glific)
    openai.always(answer("Sugar and salt."))
    glific.always(never_respond())
    call_id = pending_call_id(alice.ask_deferred())
    wait_until(lambda: received_answer(glific))
    kill_and_restart(first, serve, glific)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    require_one_answer(openai, glific)
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
    kill_and_restart(first, serve, glific)
    assert alice.wait_for_delivery(call_id).state == "delivered"
    require_one_answer(openai, glific)


def test_a_kill_while_openai_answers_asks_openai_once_more(
    serve: Serve, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    """A question is accepted immediately. Questions about a picture and to documents are deferred at their deadline."""
    first = serve(deadline_seconds=1)
    alice = create_connected_organization(first, glific)
    documents = openai.documents
    store = documents.add_store(alice.key, "rules.pdf")
    picture: dict[str, Any] = {"function": "parse_via_gpt_vision", "url": "https://media.example.org/field.jpg"}
    search: dict[str, Any] = {"function": "filesearch-gpt", "question": "What is ORS?", "vector_store_id": store}
    openai.always(silent())
    immediate = pending_call_id(alice.ask_deferred(thread_id=""))
    about_picture = pending_call_id(alice.ask_deferred("auto", contact=22, thread_id="", **picture))
    in_documents = pending_call_id(alice.ask_deferred("auto", contact=23, thread_id="", **search))
    wait_until(lambda: len(openai.requests) == 3)
    first.program.send_all(SIGKILL)
    openai.reset()
    openai.documents = documents
    openai.always(respond_after(0.1, answer_or_search(openai)))
    serve()
    for contact, call_id in ((21, immediate), (22, about_picture), (23, in_documents)):
        assert alice.wait_for_delivery(call_id).state == "delivered"
        result = resumed_result(glific, contact)
        assert (result["parsed_msg"], result["memory"]) == ("Sugar and salt.", "new")
    assert resumed_result(glific, 22)["response"] == "Sugar and salt."
    documented = resumed_result(glific, 23)
    assert (documented["message"], documented["sources"]) == ("Sugar and salt.", ["rules.pdf"])
    assert len(openai.requests) == 3
    assert sorted(len(find_pictures(request)) for request in openai.requests) == [0, 0, 1]
