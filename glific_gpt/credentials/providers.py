"""Providers of language models: their form fields, and the verification of their keys."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from glific_gpt import validation
from glific_gpt.clock import Deadline
from glific_gpt.credentials import pasted_keys
from glific_gpt.errors import DeadlineExceeded, InvalidKey, InvalidValue, UpstreamError
from glific_gpt.openai.chat import LanguageModel

if TYPE_CHECKING:
    from glific_gpt.openai.gateway import Gateway
    from glific_gpt.openai.vector_stores import VectorStores


class SecretFields(BaseModel):
    """Base of a provider's form fields, which are all SecretStr."""

    # hide_input_in_errors: pydantic would otherwise repeat a key in the message of its error.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class KeyCheckResult:
    """Result of a successful key check."""

    models: list[str]
    """Ids of the models that the key can use."""


class Provider(Protocol):
    """The interface of a provider, which OpenAI implements.

    It answers the webhooks of every organization. There is no registry: a second provider would also need a choice for
    each organization, which the tenant and the admission of a call would read.
    """

    @property
    def name(self) -> str:
        """Its name in addresses and commands."""
        ...

    @property
    def label(self) -> str:
        """Display name."""
        ...

    @property
    def fields(self) -> type[SecretFields]:
        """Form fields of a key."""
        ...

    def last4(self, secrets: Any) -> str:
        """Return the last four characters of the key."""
        ...

    def verify(self, secrets: Any, deadline: Deadline) -> KeyCheckResult:
        """Check the key at the provider, free of charge. Raises a GlificGptError such as InvalidApiKey."""
        ...

    def bind(
        self,
        secrets: Any,
        model: str,
        deadline: Deadline,
        fallback: str | None = None,
        *,
        fetches_pictures: bool = False,
    ) -> LanguageModel:
        """Return a model that uses this key. `fallback` is asked if the provider does not let the model answer.

        With `fetches_pictures`, this server downloads the pictures of questions.
        """
        ...

    def documents(self, secrets: Any, deadline: Deadline) -> "VectorStores":
        """Return the vector stores that this key reaches."""
        ...


def read_fields(provider: Provider, values: dict[str, SecretStr]) -> SecretFields:
    """Return the validated fields. Raises InvalidValue. Its message never contains the input."""
    try:
        return provider.fields(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = first["loc"][-1]
        if first["type"] == NOT_A_KEY:
            reason = first["msg"]
            raise InvalidKey(f"{field}: {reason[:1].lower()}{reason[1:]}", reason=reason) from None
        raise InvalidValue(f"{field}: {validation.describe(first)}.") from None


NOT_A_KEY = "not_a_key"
"""Error type of a pasted text that is no key."""


def _read_key(key: SecretStr) -> SecretStr:
    """Remove what was copied with a key, and refuse what is no key of OpenAI."""
    text = pasted_keys.clean(key.get_secret_value())
    if reason := pasted_keys.refusal(text):
        raise PydanticCustomError(NOT_A_KEY, reason)
    return SecretStr(text)


class OpenAiFields(SecretFields):
    api_key: Annotated[SecretStr, AfterValidator(_read_key)]


@dataclass(frozen=True)
class OpenAi:
    """OpenAI as a provider."""

    base_url: str
    name: str = "open_ai"
    label: str = "OpenAI (ChatGPT)"
    fields: type[SecretFields] = OpenAiFields

    @cached_property
    def gateway(self) -> "Gateway":
        """The client of OpenAI's API, created with the first request."""
        # The openai library takes a fifth of the start of a command, and most commands ask nothing.
        from glific_gpt.openai.gateway import Gateway

        return Gateway(self.base_url)

    def last4(self, secrets: OpenAiFields) -> str:
        return secrets.api_key.get_secret_value()[-4:]

    def verify(self, secrets: OpenAiFields, deadline: Deadline) -> KeyCheckResult:
        try:
            return KeyCheckResult(self.gateway.list_models(secrets.api_key, deadline))
        except DeadlineExceeded:
            # Its message advises to ask for a shorter answer, which makes no sense for a key check.
            raise UpstreamError from None

    def bind(
        self,
        secrets: OpenAiFields,
        model: str,
        deadline: Deadline,
        fallback: str | None = None,
        *,
        fetches_pictures: bool = False,
    ) -> LanguageModel:
        """Return a model that uses this key, and asks the fallback with the same key."""
        bound = self.gateway.bind(secrets.api_key, model, deadline, fetches_pictures=fetches_pictures)
        if fallback is None:
            return bound
        from glific_gpt.openai.fallback import ModelWithFallback

        return ModelWithFallback(bound, self.gateway.bind(secrets.api_key, fallback, deadline), deadline)

    def documents(self, secrets: OpenAiFields, deadline: Deadline) -> "VectorStores":
        return self.gateway.documents(secrets.api_key, deadline)
