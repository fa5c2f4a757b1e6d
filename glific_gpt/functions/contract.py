"""The contract of a function. A plugin imports everything that it needs from here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from glific_gpt.clock import Deadline
from glific_gpt.errors import N_
from glific_gpt.functions.values import blank_to_none, parse_id, parse_number, read_thread_id
from glific_gpt.models.allowlist import canonical_id, read_name
from glific_gpt.openai.chat import Answer, LanguageModel, Question
from glific_gpt.settings import MODEL_NAME

__all__ = [
    "N_",
    "Answer",
    "Deadline",
    "Function",
    "FunctionAnswer",
    "FunctionBody",
    "JsonValue",
    "LanguageModel",
    "Need",
    "Question",
]

FUNCTION_NAME = re.compile(r"[a-z0-9_-]{1,63}")
ANSWER_KEYS = {
    *("success", "status", "parsed_msg", "model", "cut_off", "call_id", "error_code", "error_class", "error"),
    *("thread_id", "memory"),
}
"""Keys of every response, which a function cannot set."""
EMPTY_QUESTION = "empty_question"
"""Error type that a field raises for an empty question."""

ModelName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=MODEL_NAME), BeforeValidator(read_name)]
MIN_CHARACTERS = 100
"""Smallest max_characters: fewer characters hold no useful answer."""
MAX_WAIT_SECONDS = 86_400
"""One day. After that WhatsApp allows only template messages."""
MAX_CHARACTERS = 4096
"""Largest max_characters. Flows that were made for messages of 4,096 characters get one character less."""
MAX_EMPTY_VALUE = 100
THREAD_ID = "thread_id"
"""The field that switches memory on by being there, with any value."""
MaxCharacters = Annotated[int, BeforeValidator(parse_number), Field(ge=MIN_CHARACTERS, le=MAX_CHARACTERS)]
EmptyValue = Annotated[str, StringConstraints(max_length=MAX_EMPTY_VALUE)]
FlowNumber = Annotated[int | None, BeforeValidator(parse_id)]


class FunctionBody(BaseModel):
    """The fields of every function; each function adds its own. Unknown keys are ignored.

    Glific also sends `contact` and `results`. Only the ids in them are used, and nothing else of them is kept.
    """

    # The docstrings of the fields are their descriptions in documentation.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    MEANINGFUL_BLANKS: ClassVar[frozenset[str]] = frozenset()
    """Fields for which an empty text or null is a value. In all others it means that the field was not sent."""

    TYPED_FIELDS: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold what people write, in which an @ is not always a variable."""

    gpt_model: ModelName | None = None
    """A text model. Without it, the organization's default model answers."""
    model: ModelName | None = None
    """Another name of `gpt_model`."""
    flow_id: FlowNumber = None
    """Glific's id of the flow. A later answer needs it."""
    contact_id: FlowNumber = None
    """Glific's id of the contact. Flows send `contact` instead. A later answer needs it."""
    organization_id: FlowNumber = None
    """Glific's id of the organization, which Glific adds."""
    max_characters: MaxCharacters | None = None
    """Longest answer in text: the flow may add its own words to the same message."""
    wait_seconds: Annotated[int, BeforeValidator(parse_number), Field(ge=1, le=MAX_WAIT_SECONDS)] | None = None
    """How long the flow waits for a later answer. After that it may be waiting for the answer to another question."""
    empty_value: Annotated[EmptyValue | None, BeforeValidator(blank_to_none)] = None
    """Stands for null and empty texts in a decoded answer."""
    thread_id: Annotated[str | None, BeforeValidator(read_thread_id)] = None
    """Switches memory on. An empty text begins a conversation, the `thread_id` of an answer continues its own."""
    result_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")] = "gpt_response"
    """Name under which a later answer is stored in the flow."""

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: Any) -> Any:
        """Treat an empty field like a missing one: authors leave fields empty in Glific's form."""
        if not isinstance(values, dict):
            return values
        return {
            name: value
            for name, value in values.items()
            if name in cls.MEANINGFUL_BLANKS or name == THREAD_ID or blank_to_none(value) is not None
        }

    @model_validator(mode="before")
    @classmethod
    def _contact_id(cls, values: Any) -> Any:
        return {**values, "contact_id": find_contact_id(values)} if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _one_model(self) -> "FunctionBody":
        if self.gpt_model and self.model and canonical_id(self.gpt_model) != canonical_id(self.model):
            raise ValueError("gpt_model and model name different models: send one of them")
        return self

    def dump_for_storage(self) -> str:
        """Return the fields as JSON, from which `model_validate_json` makes the same body."""
        # A thread_id of null would switch memory on.
        return self.model_dump_json(by_alias=True, exclude={THREAD_ID} if self.thread_id is None else None)

    @property
    def model_asked(self) -> str | None:
        """The model that the flow asks for, if any."""
        return self.gpt_model or self.model


class Need(Enum):
    """A capability of the model that a function uses."""

    TEXT = "text"
    PICTURES = "pictures"
    """Pictures in the question."""
    FILE_SEARCH = "file_search"
    """Search in files at OpenAI."""


@dataclass(frozen=True)
class FunctionAnswer:
    """An answer with more keys of the response than `parsed_msg`."""

    parsed_msg: JsonValue
    """Text, or a JSON value. Texts are formatted for WhatsApp, also those in a JSON value."""
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """Other keys of the response, such as `sources`. Code of Glific in their texts is neutralised."""

    def __post_init__(self) -> None:
        if reserved := ANSWER_KEYS & self.fields.keys():
            raise ValueError(f"a function cannot set these keys of the response: {sorted(reserved)}")


Body = TypeVar("Body", bound=FunctionBody)


@dataclass(frozen=True)
class Function(Generic[Body]):
    """A function that a webhook calls by its name."""

    name: str
    """Last segment of the webhook's address: [a-z0-9_-]{1,63}."""
    body: type[Body]
    """Model of the request body, which is validated before the function is called."""
    handle: Callable[[Body, LanguageModel, Deadline], JsonValue | FunctionAnswer]
    """Returns parsed_msg: text, or a JSON value. Texts are formatted for WhatsApp, also those in a JSON value.

    A FunctionAnswer adds keys to the response. The model is bound to the organization's key and to the deadline. May
    raise GlificGptError.
    """

    blocks: bool = True
    """False if the function waits for nothing but its model, so that it can run on the server's event loop."""

    extra_input_tokens: int = 0
    """Input tokens that the function adds to its body at most, such as its own prompt. A budget reserves them."""

    needs: frozenset[Need] = frozenset({Need.TEXT})
    """Capabilities that the model needs. A model without one is refused before it is asked."""

    settings: frozenset[str] = frozenset()
    """Fields that the organization's settings of the same name fill if the body has none."""

    answer_key: str | None = None
    """Key of the response that repeats parsed_msg, also after an error: Glific's own functions use other names."""

    title: str = ""
    """Name for people, in a few words, marked with N_. An empty text stands for `name`."""

    help: str = ""
    """One sentence for authors of flows, marked with N_."""

    example: Mapping[str, JsonValue] = field(default_factory=dict)
    """A body that the function accepts, for documentation and forms."""

    flow_values: Mapping[str, str] = field(default_factory=dict)
    """Fields of the example that a flow fills with variables: {"question_text": "@results.question_1.input"}."""

    def __post_init__(self) -> None:
        if not FUNCTION_NAME.fullmatch(self.name):
            raise ValueError(
                f"a function's name consists of small letters, digits, hyphens and underscores: {self.name!r}"
            )
        if self.answer_key in ANSWER_KEYS:
            raise ValueError(f"every response has this key already: {self.answer_key!r}")


def find_contact_id(values: dict[str, Any]) -> int | None:
    """Return Glific's id of the contact in a body, from `contact_id`, else from `contact`; None without one."""
    contact = values.get("contact")
    found = parse_id(values.get("contact_id"))
    return parse_id(contact.get("id")) if found is None and isinstance(contact, dict) else found
