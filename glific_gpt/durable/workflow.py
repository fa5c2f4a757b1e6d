"""The workflow: run a handler's steps, and reschedule it if the handler asks for that.

Rescheduled work ends and is enqueued again with a delay, so it takes no slot of a queue while it waits.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import structlog

from glific_gpt.durable.dbos_internals import DELAYED_QUEUE
from glific_gpt.runtime.thread_slots import ThreadSlots

Result = TypeVar("Result")

WORKFLOW_VERSION = "1"
"""Version of the order of steps.

Change it if running work could not continue with the new order. Only processes of the old release then finish that
work. The default of DBOS is a hash of the code, which would strand running work at every release.
"""

WORKFLOW_NAME = "work"

WORKING_SLOTS = 4
"""Workflows that work at the same time in a process. Those that wait for another service do not count.

When many workflows start together, or get their answers together, further threads would only compete for the database
and for Python's lock. A partition with many workflows does not delay another one.
"""

log = structlog.get_logger()


class WorkflowError(Exception):
    """Carries only the class name of a failure, because DBOS stores the message of every exception."""


class WorkflowContext:
    """Runs the steps of a handler. Finished steps are not repeated after a crash."""

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Run a step, or return its stored result if it finished before a crash. Results are JSON values."""
        from dbos import DBOS

        def run_without_message() -> Result:
            try:
                return work()
            except Exception as failure:  # noqa: BLE001 - any exception, as its message can contain a contact's text
                raise WorkflowError(type(failure).__name__) from None

        return DBOS.run_step({"name": name}, run_without_message)


Handler = Callable[[str, WorkflowContext], float | None]
"""Does the work for one subject.

The order of steps may depend only on the results of earlier steps. Returns the number of seconds after which to call
the handler again in a new workflow, without stored steps, or None if the work is finished.
"""


@dataclass(frozen=True)
class _Launched:
    handler: Handler
    slots: ThreadSlots


_launched: list[_Launched] = []
"""Handler and slots of the launched engine. DBOS has one instance per process and never unregisters functions."""


def set_handler(handler: Handler) -> None:
    """Set the handler of the next launch. Its slots are new: workflows of a stopped engine may still hold theirs."""
    _launched[:] = [_Launched(handler, ThreadSlots(WORKING_SLOTS))]


@contextmanager
def waiting() -> Iterator[None]:
    """Let the workflow of this thread, if it has one, wait for another service without holding a slot."""
    with ExitStack() as stack:
        for launched in _launched:
            stack.enter_context(launched.slots.paused())
        yield


@cache
def register_workflow() -> Callable[[str, int], None]:
    """Register the workflow function at DBOS, once per process, and return it."""
    from dbos import DBOS

    @DBOS.workflow(name=WORKFLOW_NAME)
    def run_workflow(subject: str, partition: int) -> None:
        (launched,) = _launched
        try:
            with launched.slots.hold(partition):
                seconds = launched.handler(subject, WorkflowContext())
                if seconds is not None:
                    _reschedule(subject, partition, seconds)
        except Exception as failure:  # noqa: BLE001 - a plugin can raise anything, with any message
            reason = str(failure) if isinstance(failure, WorkflowError) else type(failure).__name__
            log.error("workflow_failed", subject=subject, reason=reason)
            raise WorkflowError(reason) from None

    return run_workflow


def _reschedule(subject: str, partition: int, seconds: float) -> None:
    """Enqueue the rest of the current workflow with a delay.

    Delayed work counts against no limit of its queue. Repeating this after a crash enqueues it once, because the
    workflow id is the same.
    """
    from dbos import DBOS

    DBOS.enqueue_workflow_with_options(
        {
            "workflow_name": WORKFLOW_NAME,
            "queue_name": DELAYED_QUEUE,
            "queue_partition_key": str(partition),
            "workflow_id": next_workflow_id(DBOS.workflow_id or subject),
            "app_version": WORKFLOW_VERSION,
            "delay_seconds": seconds,
        },
        subject,
        partition,
    )


def next_workflow_id(workflow_id: str) -> str:
    """Return the id of the workflow that continues this one: `a` -> `a~1` -> `a~2`."""
    first, _, number = workflow_id.partition("~")
    return f"{first}~{int(number or 0) + 1}"
