"""The conversation of our flows: what is asked, heard, called and said, and in which order."""

from typing import TypeAlias

from glific_gpt.flows.building import messages
from glific_gpt.flows.building.spec import LEAVING, Mode, Wish
from glific_gpt.flows.building.steps import (
    PICTURES_AND_SOUNDS,
    PLACES,
    Action,
    Branch,
    Step,
    awaits,
    calls,
    does,
    hears,
    only_text,
    post,
    send,
    set_result,
    splits,
)
from glific_gpt.glific.text import MESSAGE_LIMIT

Conversation: TypeAlias = dict[str, Step]
"""Each step under its name. It starts with `welcome`."""

# No name may begin with another one: Glific would fill `@results.n` inside `@results.name`.
COUNTER, QUESTION, ANSWER = "n", "question_1", "gpt_response"
NUMBER = f"@results.{COUNTER}.input"
STATUS = f"@results.{ANSWER}.status"
PATIENCE_SECONDS = 120
"""A little more than this server takes for an answer that comes later."""


ANSWERED = Branch("ok", "answer", (only_text("ok"),))
PENDING = Branch("pending", "moment", (only_text("pending"),))
FAILED = Branch("Other", "apology")


def conversation(wish: Wish) -> Conversation:
    """The steps of a flow in the wished mode."""
    return {
        **_the_question(),
        "webhook": _the_call(wish),
        **(_an_answer_now() if wish.mode is Mode.SYNC else _an_answer_now_or_later()),
        **_what_is_said(wish),
    }


def _the_question() -> Conversation:
    return {
        "welcome": does(set_result(COUNTER, "0"), send(messages.WELCOME), then="question"),
        "question": hears(
            QUESTION,
            Branch("The end", "goodbye", (only_text(LEAVING),)),
            Branch("Other", "count"),
            Branch("Not text", "not_text", (PICTURES_AND_SOUNDS, PLACES)),
        ),
        "count": does(_count_up(), then="webhook"),
        "not_text": does(_count_up(), send(messages.NOT_TEXT), then="question"),
    }


def _the_call(wish: Wish) -> Step:
    body = {
        "contact": "@contact",
        "results": "@results",
        "flow_id": "@flow.id",
        "question_text": f"@results.{QUESTION}.input",
        "gpt_model": wish.model,
        "prompt": wish.prompt,
        "max_characters": MESSAGE_LIMIT - messages.ROOM,
    }
    if wish.mode is not Mode.SYNC:
        # An answer that missed its wait must not be taken for the next question's.
        body["wait_seconds"] = PATIENCE_SECONDS
    # Glific drops a call that it has made within a minute, and then waits for ever: the number makes it another one.
    mode = "" if wish.mode is Mode.SYNC else f"mode={wish.mode}&"
    url = f"{wish.way_in.url}?{mode}{COUNTER}={NUMBER}"
    return calls(post(url, wish.way_in.headers(), body, keep_as=ANSWER), success="status", failure="apology")


def _an_answer_now() -> Conversation:
    return {"status": splits(STATUS, ANSWERED, FAILED)}


def _an_answer_now_or_later() -> Conversation:
    # The webhook's own answer is kept under the same name, so that the "ok" of the last question is gone by then.
    return {
        "status": splits(STATUS, PENDING, ANSWERED, FAILED),
        "moment": does(send(messages.MOMENT), then="wait"),
        "wait": awaits(PATIENCE_SECONDS, then="outcome"),
        # Before anything is said: if the time ran out there is no answer to say.
        "outcome": splits(STATUS, ANSWERED, FAILED),
    }


def _what_is_said(wish: Wish) -> Conversation:
    return {
        "answer": does(send(messages.ANSWER), then="question"),
        "apology": does(send(messages.APOLOGY), then="question"),
        "goodbye": does(send(messages.goodbye(wish.keyword)), then=None),
    }


def _count_up() -> Action:
    return set_result(COUNTER, f"<%= @results.{COUNTER} + 1 %>")
