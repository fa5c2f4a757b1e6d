"""Running calls to OpenAI that exceed their request, and answers that are never collected."""

import time
from concurrent.futures import Future

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred.background import MAX_AGE_SECONDS, PendingUpstreamCall, PendingUpstreamCalls
from glific_gpt.calls.execution import Result
from glific_gpt.errors import DeadlineExceeded


def create_call(age_seconds: float = 0, *, ended: bool = True) -> PendingUpstreamCall:
    future: Future[Result] = Future()
    if ended:
        future.set_result(DeadlineExceeded())
    return PendingUpstreamCall(future, CallContext(1, "parse_via_chat_gpt"), time.monotonic() - age_seconds)


def test_a_running_call_can_be_taken_once() -> None:
    pending_calls, call = PendingUpstreamCalls(), create_call()
    pending_calls.add(call)
    assert pending_calls.take(call.context.call_id) is call
    assert pending_calls.take(call.context.call_id) is None


def test_it_drops_an_old_finished_call_and_keeps_a_running_one() -> None:
    pending_calls = PendingUpstreamCalls()
    expired, running, new = (
        create_call(MAX_AGE_SECONDS + 1),
        create_call(MAX_AGE_SECONDS + 1, ended=False),
        create_call(),
    )
    for each in (expired, running, new):
        pending_calls.add(each)
    found = [pending_calls.take(each.context.call_id) for each in (expired, running, new)]
    assert found == [None, running, new]
