"""Calls to OpenAI that outlast their request, and the answers for which nobody comes."""

import time
from concurrent.futures import Future

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.background import MAX_AGE_SECONDS, PendingUpstreamCall, PendingUpstreamCalls
from glific_gpt.calls.execution import Result
from glific_gpt.errors import DeadlineExceeded


def create_call(age: float = 0, *, ended: bool = True) -> PendingUpstreamCall:
    future: Future[Result] = Future()
    if ended:
        future.set_result(DeadlineExceeded())
    return PendingUpstreamCall(future, CallContext(1, "parse_via_chat_gpt"), time.monotonic() - age)


def test_a_running_call_can_be_taken_once() -> None:
    in_flight, mine = PendingUpstreamCalls(), create_call()
    in_flight.add(mine)
    assert in_flight.take(mine.context.call_id) is mine
    assert in_flight.take(mine.context.call_id) is None


def test_it_drops_an_old_finished_call_and_keeps_a_running_one() -> None:
    in_flight = PendingUpstreamCalls()
    forgotten, going_on, new = (
        create_call(MAX_AGE_SECONDS + 1),
        create_call(MAX_AGE_SECONDS + 1, ended=False),
        create_call(),
    )
    for each in (forgotten, going_on, new):
        in_flight.add(each)
    found = [in_flight.take(each.context.call_id) for each in (forgotten, going_on, new)]
    assert found == [None, going_on, new]
