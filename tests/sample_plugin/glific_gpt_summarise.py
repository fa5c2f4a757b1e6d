"""The function summarise: a long text in, a few sentences out."""

from typing import Annotated

from pydantic import Field

from glific_gpt.functions.contract import (
    N_,
    Deadline,
    Function,
    FunctionAnswer,
    FunctionBody,
    LanguageModel,
    Need,
    Question,
)

INSTRUCTIONS = "Summarise the text in at most {sentences} sentences, in its own language."


class SummariseBody(FunctionBody):
    """The fields of summarise."""

    text: str
    """The text to summarise."""
    sentences: Annotated[int, Field(ge=1, le=10)] = 2
    """Longest summary, in sentences."""


def handle(body: SummariseBody, model: LanguageModel, _deadline: Deadline) -> FunctionAnswer:
    """Return the summary, and the length of the text."""
    question = Question(text=body.text, instructions=INSTRUCTIONS.format(sentences=body.sentences))
    return FunctionAnswer(model.ask(question).text, {"characters": len(body.text)})


function = Function(
    name="summarise",
    body=SummariseBody,
    handle=handle,
    blocks=False,
    extra_input_tokens=len(INSTRUCTIONS),
    needs=frozenset({Need.TEXT}),
    answer_key="summary",
    title=N_("Summary"),
    help=N_("Summarises a text in a few sentences."),
    example={"text": "Millet grows in dry soil. It needs little water, and it is ripe after 70 days.", "sentences": 1},
    flow_values={"text": "@results.text_1.input"},
)
