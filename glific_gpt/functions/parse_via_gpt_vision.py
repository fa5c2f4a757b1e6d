"""The function parse_via_gpt_vision: answer a question about a picture, like Glific's own function with this name."""

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from glific_gpt.functions.answers import AnswerOptions
from glific_gpt.functions.contract import N_, Deadline, Function, LanguageModel, Need, Question
from glific_gpt.openai.picture_addresses import read_address

DEFAULT_PROMPT = "Describe this picture."


class ParseViaGptVisionBody(AnswerOptions):
    """The fields of parse_via_gpt_vision. The prompt is the question about the picture."""

    # Not in a repr: an address may be signed, so that it is a secret for a while.
    url: Annotated[str, Field(repr=False), AfterValidator(read_address)]
    """Address of the picture, which begins with https://."""


def handle(body: ParseViaGptVisionBody, model: LanguageModel, _deadline: Deadline) -> JsonValue:
    """Return the answer as text, or decoded if it is JSON."""
    # Glific's function sends the prompt beside the picture, and no system message.
    question = Question(text=body.prompt or DEFAULT_PROMPT, picture_url=body.url, **body.question_options())
    return body.read_answer(model.ask(question))


function = Function(
    name="parse_via_gpt_vision",
    body=ParseViaGptVisionBody,
    handle=handle,
    blocks=False,
    needs=frozenset({Need.TEXT, Need.PICTURES}),
    answer_key="response",
    title=N_("Question about a picture"),
    help=N_("Looks at a picture and answers the prompt. The model must be able to read pictures."),
    example={
        "url": "https://www.example.org/field.jpg",
        "prompt": N_("What is wrong with this plant? Answer in less than 5 sentences."),
    },
    flow_values={"url": "@results.picture_1.input"},
)
