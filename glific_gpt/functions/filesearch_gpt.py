"""The function filesearch-gpt: answer from the organization's own documents, like Glific's function with this name."""

import re
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from glific_gpt.functions.answers import decode
from glific_gpt.functions.contract import (
    EMPTY_QUESTION,
    N_,
    Answer,
    Deadline,
    Function,
    FunctionAnswer,
    FunctionBody,
    JsonValue,
    LanguageModel,
    Need,
    Question,
)
from glific_gpt.functions.values import parse_number
from glific_gpt.openai.citations import remove_marks
from glific_gpt.runtime import cpu_bound
from glific_gpt.settings import VECTOR_STORE_ID

MAX_STORES = 10
_NO_STORE = (
    "no documents are chosen. Send the ID of a vector store of your OpenAI account, which begins with vs_, or choose a "
    "default on the page Documents. An assistant_id of Glific does not work here"
)


def _to_list(value: Any) -> Any:
    """Return the ids as a list. Raises ValueError if there is none."""
    ids = [value] if isinstance(value, str) else value
    if not ids:
        raise ValueError(_NO_STORE)
    return ids


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _require_store(store_id: str) -> str:
    if re.fullmatch(VECTOR_STORE_ID, store_id):
        return store_id
    if store_id.startswith("asst_"):
        raise ValueError("this is the ID of an assistant. Send the ID of a vector store, which begins with vs_")
    raise ValueError("this is not the ID of a vector store, which begins with vs_. Copy it from the page Documents")


StoreId = Annotated[str, BeforeValidator(_strip), AfterValidator(_require_store)]


class FileSearchBody(FunctionBody):
    """The fields of filesearch-gpt."""

    TYPED_FIELDS: ClassVar[frozenset[str]] = frozenset({"question", "question_text"})

    question: str = ""
    """The question of the contact."""
    question_text: str = ""
    """Another name of `question`, as in parse_via_chat_gpt."""
    vector_store_id: Annotated[
        tuple[StoreId, ...], BeforeValidator(_to_list), Field(max_length=MAX_STORES, validate_default=True)
    ] = ()
    """One vector store at OpenAI, or a list of them."""
    prompt: str | None = None
    """The system message."""
    temperature: Annotated[float, BeforeValidator(parse_number), Field(ge=0, le=2)] | None = None
    """How much the answers vary. Without it, they vary least."""
    max_tokens: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=1_000_000)] | None = None
    """Longest answer in tokens."""

    @model_validator(mode="before")
    @classmethod
    def _require_question(cls, values: Any) -> Any:
        names = ("question", "question_text")
        if isinstance(values, dict) and not any(_strip(values.get(name)) for name in names):
            raise PydanticCustomError(EMPTY_QUESTION, "the question is empty")
        return values


def handle(body: FileSearchBody, model: LanguageModel, _deadline: Deadline) -> FunctionAnswer:
    """Return the answer as text, or decoded if it is JSON, and the names of the files that it cites."""
    answer = model.ask(
        Question(
            text=body.question or body.question_text,
            instructions=body.prompt,
            temperature=body.temperature,
            max_tokens=body.max_tokens,
            vector_store_ids=body.vector_store_id,
        )
    )
    is_long = len(answer.text) > cpu_bound.LARGE_CHARACTERS
    value = cpu_bound.run(lambda: _read(answer), is_long=is_long)
    return FunctionAnswer(value, {"sources": list(answer.sources)})


def _read(answer: Answer) -> JsonValue:
    return decode(replace(answer, text=remove_marks(answer.text)), is_required=False)


function = Function(
    name="filesearch-gpt",
    body=FileSearchBody,
    handle=handle,
    blocks=False,
    needs=frozenset({Need.TEXT, Need.FILE_SEARCH}),
    answer_key="message",
    settings=frozenset({"vector_store_id"}),
    title=N_("Answers from your documents"),
    help=N_("Searches your documents at OpenAI, and answers from them."),
    example={
        "question": N_("Who can apply for the scheme?"),
        "prompt": N_("Answer from the documents, in less than 5 sentences and in the language of the question."),
        "vector_store_id": "vs_abc123",
    },
    flow_values={"question": "@results.question_1.input"},
)
