"""The function summarise: a long text in, a few sentences out."""

from glific_gpt.functions.contract import Deadline, Function, FunctionBody, JsonValue, LanguageModel, Question


class SummariseBody(FunctionBody):
    """The fields of summarise."""

    text: str
    sentences: int = 2


def handle(body: SummariseBody, model: LanguageModel, _deadline: Deadline) -> JsonValue:
    """The summary as text."""
    instructions = f"Summarise the text in at most {body.sentences} sentences, in its own language."
    return model.ask(Question(text=body.text, instructions=instructions)).text


function = Function(name="summarise", body=SummariseBody, handle=handle)
