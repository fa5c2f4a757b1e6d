"""Converted nodes on a cycle: Glific drops a repeated call within a minute."""

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.converting import convert
from glific_gpt.flows.structure import CycleFinder
from tests.flows.conftest import URL
from tests.flows.exports import Json, action_of, export, flow, message_node, reply_node, webhook_node
from tests.flows.helpers import reachable_nodes
from tests.flows.test_converting import SIGNED, messages, warnings

MESSAGE = "message=@contact.last_message_number"


def looping(failure: str | None, *, sorry_to: str = "hear", **webhook: Any) -> Json:
    nodes = [
        reply_node("hear", "question", "gpt"),
        webhook_node("gpt", "answer", failure, **webhook),
        message_node("answer", "@results.gpt_response.parsed_msg", "hear"),
        message_node("sorry", "Sorry", sorry_to),
    ]
    return export(flow("Loop", nodes))


def test_the_address_on_a_cycle_changes_with_each_answer() -> None:
    conversion = convert(looping(None), SIGNED)
    assert action_of(conversion.export, "gpt")["url"] == f"{URL}?after=@results.gpt_response.call_id&{MESSAGE}"
    assert "the address changes with each answer and each message" in conversion.changed[0].message
    assert conversion.warnings == ()


def test_a_cycle_through_failure_without_a_reply_needs_a_counter() -> None:
    assert warnings(looping("sorry")) == []
    for exported in (looping("gpt"), looping("sorry", sorry_to="gpt")):
        (warning,) = warnings(exported)
        assert warning.startswith("The flow can return to this node within a minute")


def test_an_unreadable_result_name_causes_a_warning() -> None:
    conversion = convert(looping(None, result_name="gpt answer"), SIGNED)
    assert action_of(conversion.export, "gpt")["url"] == f"{URL}?{MESSAGE}"
    assert [message.partition(".")[0] for message in messages(conversion.warnings)] == [
        'No variable can read a result with the name "gpt answer"'
    ]


def test_conversion_time_grows_linearly_with_the_nodes() -> None:
    """With quadratic time a flow of 300 nodes would take half a second."""
    names = [f"gpt {at}" for at in range(2000)]
    nodes = [webhook_node(name, after, after) for name, after in zip(names, [*names[1:], names[0]], strict=True)]
    exported = export(flow("Large", nodes))
    started = time.thread_time()
    conversion = convert(exported, SIGNED)
    seconds = time.thread_time() - started
    assert (len(conversion.changed), len(conversion.warnings)) == (2000, 2000)
    assert seconds < 2


@given(edges=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 7)), max_size=14))
def test_every_cycle_is_found(edges: list[tuple[int, int]]) -> None:
    exits = {str(at): [{"destination_uuid": str(to)} for here, to in edges if here == at] for at in range(7)}
    nodes: list[Json] = [{"uuid": uuid, "exits": ways} for uuid, ways in exits.items()]
    cycles = CycleFinder(nodes)
    for node in nodes:
        for node_exit in node["exits"]:
            assert cycles.returns_to(node["uuid"], [node_exit]) == (node["uuid"] in reachable_nodes([node_exit], nodes))
