"""What a function is made of; everything that a plugin needs to import is here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from glific_gpt.clock import Deadline
from glific_gpt.functions.values import flow_number, none_if_blank, number
from glific_gpt.glific.text import MESSAGE_LIMIT
from glific_gpt.models.allowlist import canonical
from glific_gpt.openai.chat import Answer, LanguageModel, Question
from glific_gpt.settings import MODEL_NAME

__all__ = ["Answer", "Deadline", "Function", "FunctionBody", "JsonValue", "LanguageModel", "Question"]

NAME = re.compile(r"[a-z0-9_]{1,63}")

ModelName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=MODEL_NAME)]
SHORTEST = 100
"""Characters; less would hold no answer."""
LONGEST_WAIT = 86_400
"""Seconds; a day, after which WhatsApp lets nobody answer without a template."""
FlowNumber = Annotated[int | None, BeforeValidator(flow_number)]


class FunctionBody(BaseModel):
    """What every function is sent; each adds fields of its own. Unknown keys are ignored.

    Glific sends `contact` and `results` along. Only their ids are used, and nothing else of them is kept.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    gpt_model: Annotated[ModelName | None, BeforeValidator(none_if_blank)] = None
    model: Annotated[ModelName | None, BeforeValidator(none_if_blank)] = None
    flow_id: FlowNumber = None
    contact_id: FlowNumber = None
    organization_id: FlowNumber = None
    max_characters: Annotated[int, BeforeValidator(number), Field(ge=SHORTEST, le=MESSAGE_LIMIT)] | None = None
    """The longest answer, where it is text: a flow may want to say something in the same message."""
    wait_seconds: Annotated[int, BeforeValidator(number), Field(ge=1, le=LONGEST_WAIT)] | None = None
    """How long the flow waits for an answer that comes later. After that it may wait for another question's."""
    result_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")] = "gpt_response"

    @model_validator(mode="before")
    @classmethod
    def _contact_id(cls, values: Any) -> Any:
        contact = values.get("contact") if isinstance(values, dict) else None
        if isinstance(contact, dict) and "contact_id" not in values:
            return {**values, "contact_id": contact.get("id")}
        return values

    @model_validator(mode="after")
    def _one_model(self) -> "FunctionBody":
        if self.gpt_model and self.model and canonical(self.gpt_model) != canonical(self.model):
            raise ValueError("gpt_model and model name different models: send one of them")
        return self

    @property
    def model_asked(self) -> str | None:
        """The model that the flow names, if it names one."""
        return self.gpt_model or self.model


Body = TypeVar("Body", bound=FunctionBody)


@dataclass(frozen=True)
class Function(Generic[Body]):
    """A function that a webhook can call by its name."""

    name: str
    """The end of its webhook's address: [a-z0-9_]{1,63}."""
    body: type[Body]
    """What it is sent; checked before it is called."""
    handle: Callable[[Body, LanguageModel, Deadline], JsonValue]
    """Gives what the flow reads as parsed_msg: text, which is put into WhatsApp's formatting, or a JSON value.

    The model is bound to the organization's key and to the deadline. May raise GlificGptError.
    """

    blocks: bool = True
    """Whether it may wait for anything but its model; only what does not can run on the server's event loop."""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"a function's name has small letters, digits and underscores: {self.name!r}")
