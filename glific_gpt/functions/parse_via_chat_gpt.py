"""The function parse_via_chat_gpt: answer a question, like Glific's own function with this name."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from glific_gpt.functions.answers import AnswerOptions
from glific_gpt.functions.contract import EMPTY_QUESTION, N_, Deadline, Function, LanguageModel, Question


def _not_blank(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError(EMPTY_QUESTION, "the question is empty")
    return value


class ParseViaChatGptBody(AnswerOptions):
    """The fields of parse_via_chat_gpt. The prompt is the system message."""

    TYPED_FIELDS: ClassVar[frozenset[str]] = frozenset({"question_text"})

    question_text: Annotated[str, BeforeValidator(_not_blank), Field(validate_default=True)] = ""
    """The question of the contact."""


def handle(body: ParseViaChatGptBody, model: LanguageModel, _deadline: Deadline) -> JsonValue:
    """Return the answer as text, or decoded if it is JSON."""
    question = Question(text=body.question_text, instructions=body.prompt, **body.question_options())
    return body.read_answer(model.ask(question))


function = Function(
    name="parse_via_chat_gpt",
    body=ParseViaChatGptBody,
    handle=handle,
    blocks=False,
    title=N_("Question and answer"),
    help=N_("Answers a question in text. The prompt says how."),
    example={
        "question_text": N_("When do I sow millet?"),
        "prompt": N_("Answer in less than 5 sentences, in the language of the question."),
    },
    flow_values={"question_text": "@results.question_1.input"},
)
