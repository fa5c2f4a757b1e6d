"""Answers of OpenAI that arrive after their request has ended: store them, and release their workflows."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Condition, Lock, Thread

import structlog
from flask import Flask, current_app
from sqlalchemy.orm import Session

from glific_gpt.calls import budget, records
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.deferred import delivery_records
from glific_gpt.calls.execution import Result, to_outcome
from glific_gpt.calls.tenant import Tenant
from glific_gpt.database import execute_all, retry_until_available
from glific_gpt.durable import WorkflowEngine
from glific_gpt.errors import DeadlineExceeded, GlificGptError
from glific_gpt.runtime import bridge
from glific_gpt.vault import Vault

MAX_BATCH = 50
"""Answers that are stored in one transaction."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Answer:
    """The answer of a pending call, encrypted."""

    context: CallContext
    error: GlificGptError | None
    ciphertext: str

    @classmethod
    def encrypt(cls, vault: Vault, tenant: Tenant, context: CallContext, result: Result) -> "Answer":
        error = result if isinstance(result, GlificGptError) else None
        outcome = to_outcome(tenant, context, result)
        return cls(context, error, delivery_records.encrypt_answer(vault, context.organization_id, outcome))


def store(*answers: Answer) -> None:
    """Store the answers in one transaction, each once, and wait for the database as long as necessary."""

    def write(session: Session) -> None:
        for answer in answers:
            # A retry of this transaction may find the answer stored, and must not settle the budget twice.
            if delivery_records.store_answer(session, answer.context.call_id, answer.ciphertext):
                records.record_answer(session, answer.context, answer.error)
                execute_all(session, budget.settle_statements(answer.context))

    retry_until_available(write)


@dataclass(frozen=True)
class _Arrival:
    tenant: Tenant
    context: CallContext
    read_result: Callable[[], Result]


class LateAnswers:
    """The pending calls of this process that wait for OpenAI. One thread stores their answers, in batches."""

    def __init__(self, vault: Vault, engine: WorkflowEngine) -> None:
        self._vault = vault
        self._engine = engine
        self._arrived: SimpleQueue[_Arrival] = SimpleQueue()
        self._waiting: set[str] = set()
        """Ids of the calls without a stored answer."""
        self._changed = Condition()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread, if it does not run. It runs until the process ends."""
        with self._changed:
            if self._thread is None:
                app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
                self._thread = Thread(target=self._store_all, args=(app,), name="late-answers", daemon=True)
                self._thread.start()

    def expect(self, tenant: Tenant, context: CallContext, answer: "Future[Result]", timeout: float) -> None:
        """Store the answer when it arrives, or DeadlineExceeded if it has not arrived after `timeout` seconds."""
        self.start()
        with self._changed:
            self._waiting.add(context.call_id)
        is_first = Lock()

        def arrive(read_result: Callable[[], Result]) -> None:
            if is_first.acquire(blocking=False):
                self._arrived.put(_Arrival(tenant, context, read_result))

        bridge.call_later(timeout, lambda: arrive(DeadlineExceeded))
        answer.add_done_callback(lambda done: arrive(done.result))

    @bridge.blocking
    def wait(self, seconds: float) -> bool:
        """Wait until every expected answer is stored, and return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def _store_all(self, app: Flask) -> None:
        while True:
            arrivals = self._next_arrivals()
            with app.app_context():
                self._store_batch(arrivals)
            with self._changed:
                self._waiting.difference_update(each.context.call_id for each in arrivals)
                self._changed.notify_all()

    def _next_arrivals(self) -> list[_Arrival]:
        """Wait for one answer, and return it with those that have arrived meanwhile."""
        arrivals = [self._arrived.get()]
        while len(arrivals) < MAX_BATCH:
            try:
                arrivals.append(self._arrived.get_nowait())
            except Empty:
                break
        return arrivals

    def _store_batch(self, arrivals: list[_Arrival]) -> None:
        # Under a budget, calls of several processes settle in the same row, so each has a transaction of its own.
        alone = [each for each in arrivals if each.context.allowance is not None]
        together = [each for each in arrivals if each.context.allowance is None]
        if not self._store(together):
            alone += together  # one of them failed
        for each in alone:
            self._store([each])

    def _store(self, arrivals: list[_Arrival]) -> bool:
        """Store the answers and release their workflows. Returns False if that failed."""
        call_ids = [each.context.call_id for each in arrivals]
        try:
            store(*(Answer.encrypt(self._vault, each.tenant, each.context, each.read_result()) for each in arrivals))
            self._engine.release(*call_ids)
        except Exception as failure:  # noqa: BLE001 - the thread must survive; a workflow also runs after its delay
            log.error("late_answer_failed", call_ids=call_ids, reason=type(failure).__name__)
            return False
        return True
