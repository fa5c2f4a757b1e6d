"""Retries: only temporary failures are retried, and only inside the deadline."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.calls.allowance import Allowance
from glific_gpt.clock import Deadline
from glific_gpt.errors import BudgetExceeded, DeadlineExceeded
from glific_gpt.openai.chat import Question, Turn
from glific_gpt.openai.gateway import Gateway
from glific_gpt.openai.refusals import ApiRefusal
from glific_gpt.openai.retries import MAX_ATTEMPTS, MAX_DEFERRED_ATTEMPTS, MIN_ANSWER_SECONDS, next_delay
from tests.support.openai_stand_in import OpenAIStandIn


def refusal(status: int, retry_after: str | None = None, code: str = "") -> ApiRefusal:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return ApiRefusal.from_error(status, {"code": code}, headers)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520, 529])
def test_a_temporary_failure_is_retried_with_backoff(status: int) -> None:
    delays = [next_delay(attempts, refusal(status), Deadline.after(10)) for attempts in (1, 2)]
    assert all(delay is not None and 0.1 < delay <= 0.5 for delay in delays)
    assert next_delay(MAX_ATTEMPTS, refusal(status), Deadline.after(10)) is None


def test_a_deferred_call_has_more_attempts() -> None:
    delays = [next_delay(attempts, refusal(429), Deadline.after(110)) for attempts in range(1, MAX_DEFERRED_ATTEMPTS)]
    assert all(delay is not None for delay in delays)
    assert 15 <= sum(filter(None, delays)) <= 32
    assert next_delay(MAX_DEFERRED_ATTEMPTS, refusal(429), Deadline.after(110)) is None


@pytest.mark.parametrize("status", [501, 505, 511, 525, 526])
def test_a_failure_of_a_proxys_settings_is_not_retried(status: int) -> None:
    assert next_delay(1, refusal(status), Deadline.after(110)) is None


@pytest.mark.parametrize(
    "code",
    [
        "billing_not_active",
        "insufficient_funds",
        "account_deactivated",
        "access_terminated",
        "incorrect_hostname",
        "project_archived",
        "ip_not_authorized",
    ],
)
@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_cause_that_no_waiting_cures_is_not_retried_whatever_the_status(status: int, code: str) -> None:
    assert next_delay(1, refusal(status, code=code), Deadline.after(110)) is None


@pytest.mark.parametrize("status", [302, 400, 401, 402, 403, 404, 413, 422])
def test_a_permanent_failure_is_not_retried(status: int) -> None:
    assert next_delay(1, refusal(status), Deadline.after(10)) is None


def test_an_account_without_credit_is_not_retried() -> None:
    assert next_delay(1, refusal(429, code="insufficient_quota"), Deadline.after(10)) is None


def test_a_failed_connection_is_retried() -> None:
    assert next_delay(1, None, Deadline.after(10)) is not None


@pytest.mark.parametrize(("retry_after", "delay"), [("2", 2.0), ("0", 0.0), ("2.5", 2.5), ("-3", 0.0)])
def test_the_delay_is_that_of_retry_after(retry_after: str, delay: float) -> None:
    assert next_delay(1, refusal(429, retry_after), Deadline.after(10)) == delay


@pytest.mark.parametrize("retry_after", ["Wed, 21 Oct 2015 07:28:00 GMT", "nonsense", "nan", "inf", ""])
def test_an_invalid_or_past_retry_after_gives_a_short_delay(retry_after: str) -> None:
    delay = next_delay(1, refusal(429, retry_after), Deadline.after(10))
    assert delay is not None
    assert delay < 1


def test_it_gives_up_if_the_next_attempt_would_be_too_late() -> None:
    assert next_delay(1, refusal(429, "4"), Deadline.after(4 + MIN_ANSWER_SECONDS / 2)) is None
    assert next_delay(1, refusal(503), Deadline.after(MIN_ANSWER_SECONDS)) is None
    assert next_delay(1, None, Deadline.after(0)) is None


def test_nothing_is_sent_after_the_deadline(openai: OpenAIStandIn) -> None:
    gateway, question = Gateway(openai.base_url), Question("What is ORS?")

    def ask(seconds: float) -> None:
        gateway.bind(SecretStr("sk-proj-tenant"), "gpt-4o", Deadline.after(seconds)).ask(question)

    ask(10)  # leaves an open connection, on which the next request could be sent immediately
    with pytest.raises(DeadlineExceeded) as error:
        ask(0)
    assert not error.value.was_asked
    ask(10)
    assert len(openai.requests) == 2


def test_each_question_of_a_call_has_its_memory_unless_it_says_no(openai: OpenAIStandIn) -> None:
    model = Gateway(openai.base_url).bind(SecretStr("sk-any"), "gpt-4o", Deadline.after(10))
    model.memory = (Turn("What is ORS?", "Sugar and salt."),)
    model.ask(Question("How much?"))
    model.ask(Question("Translate this.", uses_memory=False))
    sent = [[message["content"] for message in request.body["messages"]] for request in openai.requests]
    assert sent == [["What is ORS?", "Sugar and salt.", "How much?"], ["Translate this."]]
    assert model.remembered_question == "How much?"


class Schema(dict[str, Any]):
    """A schema that knows the threads that have encoded it."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.threads: set[str] = set()

    def items(self) -> Any:
        self.threads.add(threading.current_thread().name)
        return super().items()


def test_under_a_budget_a_large_schema_is_measured_in_the_thread_for_long_computations(openai: OpenAIStandIn) -> None:
    schema = Schema(name="x", schema={"enum": list(range(2000))})
    model = Gateway(openai.base_url).bind(SecretStr("sk-any"), "gpt-4o", Deadline.after(10))
    model.allowance = Allowance(Decimal(1))
    model.ask(Question("What is ORS?", response_format={"type": "json_schema", "json_schema": schema}))
    assert schema.threads == {"cpu-bound"}


def test_a_budget_that_does_not_pay_for_the_search_refuses_a_question_to_documents(openai: OpenAIStandIn) -> None:
    model = Gateway(openai.base_url).bind(SecretStr("sk-any"), "gpt-4o-mini", Deadline.after(10))
    # Enough for the passages and a short answer.
    model.allowance = Allowance(Decimal("0.0085"))
    with pytest.raises(BudgetExceeded):
        model.ask(Question("Who may apply?", vector_store_ids=("vs_1",)))
    assert openai.requests == []
