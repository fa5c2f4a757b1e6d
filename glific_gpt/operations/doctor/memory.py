"""Check that a conversation is remembered: the answer to a second question knows the first one."""

import secrets
from dataclasses import replace

from glific_gpt.calls.memory import CONTINUED
from glific_gpt.errors import N_
from glific_gpt.operations.doctor.conversations import TestConversation, find_server_error, hold_conversation
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.services import services

FIRST_QUESTION = "My number is {number}. Answer in one short sentence."
SECOND_QUESTION = "What is my number? Answer with the number only."
SMALLEST_NUMBER, NUMBERS = 100, 900
"""Three digits, which no model writes with a comma."""

MSG_REMEMBERED = N_("The answer to the second question knew the first one (memory).")
MSG_NOT_CONTINUED = N_(
    "The second question began a new conversation, because the thread_id of the first answer did not come back "
    "unchanged."
)
REMEDY_PROXY = N_("Check whether a proxy in front of %(url)s changes bodies, or an old version of this server answers.")
MSG_NOT_USED = N_(
    "The second question continued the conversation, but the answer of %(model)s did not know the first question."
)
REMEDY_MODEL = N_("Check again. If the problem remains, choose another default model.")
MSG_FAILED = N_("A question of the test conversation got no answer. %(reason)s")
MSG_NO_ANSWER = N_("The server did not answer, or a different one did.")
REMEDY_FAILED = N_("Test again in a minute. The list of calls has more details.")


def check_memory(slug: str) -> CheckResult:
    """Ask two questions. Problems are warnings, because flows without memory work."""
    number = str(SMALLEST_NUMBER + secrets.randbelow(NUMBERS))  # a new one, so that no other answer can hold it
    held = hold_conversation(slug, FIRST_QUESTION.format(number=number), SECOND_QUESTION, has_memory=True)
    lines = tuple(held.conversation.lines)
    return replace(_evaluate(slug, number, held), transcript=held.conversation.transcript(), lines=lines)


def _evaluate(slug: str, number: str, held: TestConversation) -> CheckResult:
    call, result = held.conversation.calls[-1], held.results[-1]
    if call.outcome != "Success":
        error = find_server_error(slug, call)
        code, reason = error or ("", MSG_NO_ANSWER)
        command = f"flask calls list {slug} --limit 2"
        return CheckResult(
            "memory", CheckStatus.WARNING, MSG_FAILED, REMEDY_FAILED, {"reason": reason}, command, error_code=code
        )
    values: dict[str, object] = {"url": services().settings.public_url, "model": str(result.get("model"))}
    if result.get("memory") != CONTINUED or not result.get("thread_id"):
        return CheckResult("memory", CheckStatus.WARNING, MSG_NOT_CONTINUED, REMEDY_PROXY, values)
    if number not in str(result.get("parsed_msg")):
        return CheckResult("memory", CheckStatus.WARNING, MSG_NOT_USED, REMEDY_MODEL, values)
    return CheckResult("memory", CheckStatus.OK, MSG_REMEMBERED)
