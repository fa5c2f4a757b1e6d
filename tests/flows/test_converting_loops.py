"""Converted nodes to which the flow comes back: Glific drops the same call within a minute."""

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from glific_gpt.flows.converting import convert
from glific_gpt.flows.structure import Rounds
from tests.flows.conftest import URL
from tests.flows.exports import Json, action_of, calls, export, flow, hears, says
from tests.flows.test_converting import SIGNED, told, warnings
from tests.flows.ways import behind

MESSAGE = "message=@contact.last_message_number"


def looping(failure: str | None, *, sorry_to: str = "hear", **webhook: Any) -> Json:
    nodes = [
        hears("hear", "question", "gpt"),
        calls("gpt", "answer", failure, **webhook),
        says("answer", "@results.gpt_response.parsed_msg", "hear"),
        says("sorry", "Sorry", sorry_to),
    ]
    return export(flow("Loop", nodes))


def test_an_address_in_a_loop_changes_with_each_answer() -> None:
    done = convert(looping(None), SIGNED)
    assert action_of(done.export, "gpt")["url"] == f"{URL}?after=@results.gpt_response.call_id&{MESSAGE}"
    assert "the address changes with each answer and each message" in done.changed[0].says
    assert done.warnings == ()


def test_a_loop_past_the_failure_needs_a_counter_where_nobody_writes_on_the_way() -> None:
    assert warnings(looping("sorry")) == []
    for whole in (looping("gpt"), looping("sorry", sorry_to="gpt")):
        (warning,) = warnings(whole)
        assert warning.startswith("The flow can come back here within a minute without")


def test_a_result_that_no_variable_can_read_is_warned_about() -> None:
    done = convert(looping(None, result_name="gpt answer"), SIGNED)
    assert action_of(done.export, "gpt")["url"] == f"{URL}?{MESSAGE}"
    assert [says.partition(",")[0] for says in told(done.warnings)] == ['The result is saved as "gpt answer"']


def test_many_nodes_take_no_longer_each_than_few() -> None:
    """A flow of 300 nodes took half a second when each looked at all others."""
    names = [f"gpt {at}" for at in range(2000)]
    nodes = [calls(name, after, after) for name, after in zip(names, [*names[1:], names[0]], strict=True)]
    whole = export(flow("Large", nodes))
    begun = time.thread_time()
    done = convert(whole, SIGNED)
    taken = time.thread_time() - begun
    assert (len(done.changed), len(done.warnings)) == (2000, 2000)
    assert taken < 2


@given(edges=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 7)), max_size=14))
def test_it_finds_every_loop(edges: list[tuple[int, int]]) -> None:
    exits = {str(at): [{"destination_uuid": str(to)} for here, to in edges if here == at] for at in range(7)}
    nodes: list[Json] = [{"uuid": uuid, "exits": ways} for uuid, ways in exits.items()]
    rounds = Rounds(nodes)
    for node in nodes:
        for out in node["exits"]:
            assert rounds.lead_back(node["uuid"], [out]) == (node["uuid"] in behind([out], nodes))
