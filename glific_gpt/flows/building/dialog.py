"""The dialog of the flows that we build: welcome, question, webhook call, answer, next question."""

from typing import TypeAlias

from glific_gpt.flows.building.messages import RESERVED_CHARACTERS
from glific_gpt.flows.building.spec import FlowSpec, Mode
from glific_gpt.flows.building.steps import (
    IS_LOCATION,
    IS_MEDIA,
    Action,
    Branch,
    Step,
    action_step,
    call_webhook,
    equals_text,
    reply_step,
    send_message,
    set_result,
    split_step,
    wait_step,
    webhook_step,
)
from glific_gpt.flows.building.texts import Texts, texts_in
from glific_gpt.flows.structure import MAX_MESSAGE_CHARACTERS

Steps: TypeAlias = dict[str, Step]
"""Steps by name. The flow starts at `welcome`."""

FUNCTION, DOCUMENTS_FUNCTION = "parse_via_chat_gpt", "filesearch-gpt"
"""Functions that read the same body. The second one searches documents first."""
READY_FLOW_FUNCTIONS = (FUNCTION, DOCUMENTS_FUNCTION)

# No name may be a prefix of another one: Glific would replace `@results.n` inside `@results.name`.
COUNTER, QUESTION, ANSWER = "n", "question_1", "gpt_response"
COUNTER_VALUE = f"@results.{COUNTER}.input"
STATUS = f"@results.{ANSWER}.status"
THREAD_ID = f"@results.{ANSWER}.thread_id"
RESULT_TIMEOUT_SECONDS = 120
"""How long the flow waits for a later answer: a little longer than this server takes for one."""

ANSWERED = Branch("ok", "answer", (equals_text("ok"),))
PENDING = Branch("pending", "wait_notice", (equals_text("pending"),))
FAILED = Branch("Other", "apology")


def build_dialog(spec: FlowSpec) -> Steps:
    """Build the steps of a flow in the mode of the specification."""
    texts = texts_in(spec.language)
    return {
        **_question_steps(texts),
        "webhook": _webhook_step(spec),
        **(_sync_status_steps() if spec.mode is Mode.SYNC else _deferred_status_steps(texts)),
        **_message_steps(texts, spec.keyword),
    }


def _question_steps(texts: Texts) -> Steps:
    return {
        "welcome": action_step(set_result(COUNTER, "0"), send_message(texts.welcome), then="question"),
        "question": reply_step(
            QUESTION,
            Branch("The end", "goodbye", tuple(map(equals_text, texts.exit_words))),
            Branch("Other", "count"),
            Branch("Not text", "not_text", (IS_MEDIA, IS_LOCATION)),
        ),
        "count": action_step(_increment_counter(), then="webhook"),
        "not_text": action_step(_increment_counter(), send_message(texts.not_text), then="question"),
    }


def _webhook_step(spec: FlowSpec) -> Step:
    body = {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": f"@results.{QUESTION}.input",
        "gpt_model": spec.model,
        "prompt": spec.sent_prompt,
        "max_characters": MAX_MESSAGE_CHARACTERS - RESERVED_CHARACTERS,
    }
    if spec.has_memory:
        # Before the first answer Glific sends this name, with which the server begins a conversation.
        body["thread_id"] = THREAD_ID
    if spec.mode is not Mode.SYNC:
        # The server drops an answer that missed its wait, else the flow would send it as the next question's answer.
        body["wait_seconds"] = RESULT_TIMEOUT_SECONDS
    # Glific drops a call to an address that it called within the last minute, and the flow would wait for ever.
    # The counter makes each address different.
    mode = "" if spec.mode is Mode.SYNC else f"mode={spec.mode}&"
    function = DOCUMENTS_FUNCTION if spec.uses_documents else FUNCTION
    url = f"{spec.endpoint.url_of(function)}?{mode}{COUNTER}={COUNTER_VALUE}"
    webhook = call_webhook(url, spec.endpoint.headers(), body, result_name=ANSWER)
    return webhook_step(webhook, success="status", failure="apology")


def _sync_status_steps() -> Steps:
    return {"status": split_step(STATUS, ANSWERED, FAILED)}


def _deferred_status_steps(texts: Texts) -> Steps:
    # The webhook's immediate reply is stored under the same result name, so it overwrites the "ok" of the last answer.
    return {
        "status": split_step(STATUS, PENDING, ANSWERED, FAILED),
        "wait_notice": action_step(send_message(texts.wait_notice), then="wait"),
        "wait": wait_step(RESULT_TIMEOUT_SECONDS, then="outcome"),
        # Check the status before sending: after a time-out there is no answer, and Glific would send the variable name.
        "outcome": split_step(STATUS, ANSWERED, FAILED),
    }


def _message_steps(texts: Texts, keyword: str) -> Steps:
    return {
        "answer": action_step(send_message(texts.answer), then="question"),
        "apology": action_step(send_message(texts.apology), then="question"),
        "goodbye": action_step(send_message(texts.goodbye.format(keyword=keyword)), then=None),
    }


def _increment_counter() -> Action:
    return set_result(COUNTER, f"<%= @results.{COUNTER} + 1 %>")
