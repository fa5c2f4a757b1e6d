"""Count calls for the metrics, each when its row has reached a final status in the database.

A row that is `started` or `pending` is not counted yet. A call that gets an error without leaving a row is counted as
`refused`.
"""

from collections.abc import Callable, Iterable

from sqlalchemy import event
from sqlalchemy.orm import Session, object_session

from glific_gpt.calls.context import CallContext
from glific_gpt.calls.tables import Call
from glific_gpt.errors import GlificGptError
from glific_gpt.metrics import recording

REFUSED = "refused"


def count_ended(context: CallContext, error: GlificGptError | None) -> None:
    """Count a call whose row was finished by this commit."""
    recording.call_ended(context.function, context.mode, "error" if error else "ok", error.code if error else None)


def count_refused(function: str, mode: str | None, error: GlificGptError) -> None:
    """Count a call that got an error and left no row."""
    recording.call_ended(function, mode, REFUSED, error.code)


def count_abandoned(context: CallContext, error: GlificGptError, changed_rows: int) -> None:
    """Count a call that was answered with an error because the database did not confirm its row."""
    if changed_rows:
        count_ended(context, error)
    else:
        count_refused(context.function, context.mode, error)


def count_deferred(call: Call) -> None:
    """Count a deferred call when the current transaction has committed its final status."""
    if session := object_session(call):
        # Read now: after the commit, the attributes would be loaded again.
        labels = (call.function, call.mode, call.status, call.error_code)
        seconds = (call.duration_ms or 0) / 1000
        count_after_commit(session, lambda: recording.call_ended(*labels))
        count_after_commit(session, lambda: recording.deferred_call_ended(seconds))


def count_interrupted(calls: Iterable[tuple[str, str | None]]) -> None:
    """Count calls that ended with their process, by their function and mode."""
    for function, mode in calls:
        recording.call_ended(function, mode, recording.INTERRUPTED, None)


def count_after_commit(session: Session, count: Callable[[], object]) -> None:
    """Call the function after the commit, and not if the transaction is rolled back, which may be repeated."""
    event.listen(session, "after_commit", lambda _session: count(), once=True)
