"""Answers of OpenAI that arrive after their request has ended: store them, and release their workflows."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
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
from glific_gpt.database import execute_all, retry_until_available, submit_large
from glific_gpt.durable import WorkflowEngine
from glific_gpt.errors import DeadlineExceeded, GlificGptError
from glific_gpt.runtime import cpu_bound, event_loop
from glific_gpt.runtime.turns import Turns
from glific_gpt.vault import Vault

MAX_BATCH = 20
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
        return cls(context, error, delivery_records.encrypt_answer(vault, context, outcome))


def store(*answers: Answer) -> None:
    """Store the answers in one transaction, each once, and wait for the database as long as necessary."""

    def write(session: Session) -> None:
        for answer in answers:
            # A retry of this transaction may find the answer stored, and must not settle the budget twice.
            if delivery_records.store_answer(session, answer.context.call_id, answer.ciphertext):
                records.record_answer(session, answer.context, answer.error)
                execute_all(session, budget.settle_statements(answer.context))

    retry_until_available(write)


def _current_app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


@dataclass(frozen=True, eq=False)
class _Arrival:
    tenant: Tenant
    context: CallContext
    read_result: Callable[[], Result]

    @property
    def is_large(self) -> bool:
        """True if the answer takes long to encrypt and to store."""
        try:
            result = self.read_result()
        except Exception:  # noqa: BLE001 - `_store` handles it
            return False
        return not isinstance(result, GlificGptError) and cpu_bound.is_large([result.parsed_msg, dict(result.fields)])


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
                self._thread = Thread(target=self._store_all, args=(_current_app(),), name="late-answers", daemon=True)
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

        event_loop.call_later(timeout, lambda: arrive(DeadlineExceeded))
        answer.add_done_callback(lambda done: arrive(done.result))

    @event_loop.blocking
    def wait(self, seconds: float) -> bool:
        """Wait until every expected answer is stored, and return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def _store_all(self, app: Flask) -> None:
        arrived: Turns[_Arrival] = Turns()
        while True:
            self._receive(arrived)
            with app.app_context():
                self._store_batch([arrived.pop() for _ in range(min(MAX_BATCH, len(arrived)))])

    def _receive(self, arrived: Turns[_Arrival]) -> None:
        """Add the answers that have arrived meanwhile. If there is none in the end, wait for one."""
        with suppress(Empty):
            while True:
                arrival = self._arrived.get(block=not arrived)
                arrived.push(arrival.context.organization_id, arrival)

    def _store_batch(self, arrivals: list[_Arrival]) -> None:
        small = [each for each in arrivals if not each.is_large]
        # Under a budget, calls of several processes settle in the same row, so each has a transaction of its own.
        together = [each for each in small if each.context.allowance is None]
        is_stored = self._store(together)
        if is_stored:
            self._forget(together)
        for each in arrivals:
            if each not in small:
                submit_large(each.context.organization_id, partial(self._store_large, _current_app(), each))
            elif not is_stored or each.context.allowance is not None:
                self._store_alone(each)

    def _store_large(self, app: Flask, arrival: _Arrival) -> None:
        with app.app_context():  # of its own, because the database session belongs to it
            self._store_alone(arrival)

    def _store_alone(self, arrival: _Arrival) -> None:
        self._store([arrival])
        self._forget([arrival])

    def _forget(self, arrivals: list[_Arrival]) -> None:
        """Stop waiting for these answers, which are stored or lost."""
        with self._changed:
            self._waiting.difference_update(each.context.call_id for each in arrivals)
            self._changed.notify_all()

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
