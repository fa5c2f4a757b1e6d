"""The one kind of work: a handler's steps, and what is put off, which holds no place of the queue until its time."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import structlog

from glific_gpt.durable.dbos_internals import LATER

Result = TypeVar("Result")

VERSION = "1"
"""Of the order of steps: another one when work that is under way could not go on by the new order; that work is
then done by processes of the old release alone. The engine's own choice is a hash of the code, which would strand
whatever is under way at every release."""

WORKFLOW = "work"

log = structlog.get_logger()


class Failed(Exception):
    """Names the kind of a failure and no more: the engine keeps the words of what a step or a workflow raises."""


class Durable:
    """How a handler does its work, so that what is finished is not done again after a kill."""

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Does a part of the work, or gives what it gave before the process was killed. JSON values only."""
        from dbos import DBOS

        def quietly() -> Result:
            try:
                return work()
            except Exception as failure:  # noqa: BLE001 - its message can hold anything
                raise Failed(type(failure).__name__) from None

        return DBOS.run_step({"name": name}, quietly)


Handler = Callable[[str, Durable], float | None]
"""Does the work about one subject. The steps' order may depend on what steps gave, and on nothing else.

Gives the seconds after which it is to be called again, as work of its own that remembers no step, or None.
"""

_handler: list[Handler] = []
"""The launched engine's: DBOS is one for the whole process, and registers functions for ever."""


def handle_with(handler: Handler) -> None:
    _handler[:] = [handler]


@cache
def registered() -> Callable[[str, int], None]:
    """The workflow, for DBOS."""
    from dbos import DBOS

    @DBOS.workflow(name=WORKFLOW)
    def work(subject: str, partition: int) -> None:
        try:
            seconds = _handler[0](subject, Durable())
            if seconds is not None:
                _put_off(subject, partition, seconds)
        except Exception as failure:  # noqa: BLE001 - a plugin may be at fault, and its message can hold anything
            reason = str(failure) if isinstance(failure, Failed) else type(failure).__name__
            log.error("work_failed", subject=subject, reason=reason)
            raise Failed(reason) from None

    return work


def _put_off(subject: str, partition: int, seconds: float) -> None:
    """Delayed work counts against no limit of its queue, and is handed in once however often this is done."""
    from dbos import DBOS

    DBOS.enqueue_workflow_with_options(
        {
            "workflow_name": WORKFLOW,
            "queue_name": LATER,
            "queue_partition_key": str(partition),
            "workflow_id": following(DBOS.workflow_id or subject),
            "app_version": VERSION,
            "delay_seconds": seconds,
        },
        subject,
        partition,
    )


def following(job: str) -> str:
    """The name of the work that goes on with that work."""
    first, _, number = job.partition("~")
    return f"{first}~{int(number or 0) + 1}"
