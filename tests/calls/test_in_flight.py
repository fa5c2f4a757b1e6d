"""Calls to OpenAI that outlast their request, and the answers for which nobody comes."""

import time
from concurrent.futures import Future

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.background import MAX_AGE_SECONDS, PendingUpstreamCall, PendingUpstreamCalls
from glific_gpt.calls.execution import Result
from glific_gpt.errors import DeadlineExceeded


def flight(age: float = 0, *, ended: bool = True) -> PendingUpstreamCall:
    future: Future[Result] = Future()
    if ended:
        future.set_result(DeadlineExceeded())
    return PendingUpstreamCall(future, CallContext(1, "parse_via_chat_gpt"), time.monotonic() - age)


def test_it_gives_a_call_under_way_to_the_work_that_comes_for_it_and_once_only() -> None:
    in_flight, mine = PendingUpstreamCalls(), flight()
    in_flight.add(mine)
    assert in_flight.take(mine.context.call_id) is mine
    assert in_flight.take(mine.context.call_id) is None


def test_it_forgets_an_answer_for_which_nobody_came_and_keeps_a_call_that_goes_on() -> None:
    in_flight = PendingUpstreamCalls()
    forgotten, going_on, new = flight(MAX_AGE_SECONDS + 1), flight(MAX_AGE_SECONDS + 1, ended=False), flight()
    for each in (forgotten, going_on, new):
        in_flight.add(each)
    found = [in_flight.take(each.context.call_id) for each in (forgotten, going_on, new)]
    assert found == [None, going_on, new]
