"""What a provider of language models is: its form fields, and how a key is verified there."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError

from glific_gpt.clock import Deadline
from glific_gpt.errors import DeadlineExceeded, InvalidValue, NotFound, UpstreamError
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.openai.gateway import BoundModel, Gateway


class SecretFields(BaseModel):
    """The fields that people fill in; each provider adds its own, all of them SecretStr."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class KeyCheckResult:
    """What a provider said of a key that it accepts."""

    models: list[str]
    """Ids of the models that the key reaches."""


class Provider(Protocol):
    """One provider. A second one is one more file beside open_ai.py."""

    @property
    def name(self) -> str:
        """Its name in addresses and commands."""
        ...

    @property
    def label(self) -> str:
        """Its name for people."""
        ...

    @property
    def fields(self) -> type[SecretFields]:
        """What people fill in."""
        ...

    def last4(self, secrets: Any) -> str:
        """The last four characters of the key in these fields."""
        ...

    def verify(self, secrets: Any, deadline: Deadline) -> KeyCheckResult:
        """Asks the provider, at no cost. Raises InvalidApiKey, UpstreamError and their like."""
        ...

    def bind(self, secrets: Any, model: str, deadline: Deadline) -> LanguageModel:
        """A model to ask with this key."""
        ...


class Providers:
    """The registry of providers, by name."""

    def __init__(self, *providers: Provider) -> None:
        self._by_name = {provider.name: provider for provider in providers}

    def get(self, name: str) -> Provider:
        """Raises NotFound."""
        if name not in self._by_name:
            raise NotFound(f"There is no provider of that name; there is {', '.join(self._by_name)}.")
        return self._by_name[name]


def read_fields(provider: Provider, values: dict[str, SecretStr]) -> SecretFields:
    """The checked fields. Raises InvalidValue, which never holds what was typed."""
    try:
        return provider.fields(**values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidValue(f"{first['loc'][-1]}: {message[:1].lower()}{message[1:]}.") from None


def _validate_key(key: SecretStr) -> SecretStr:
    """A key travels in a header, so it is printable ASCII without spaces; what was pasted around it is taken off."""
    text = key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]{8,500}", text):
        raise ValueError("this is not an OpenAI key: paste the whole key, which begins with sk-, and nothing else")
    return SecretStr(text)


class OpenAiFields(SecretFields):
    api_key: Annotated[SecretStr, AfterValidator(_validate_key)]


@dataclass(frozen=True)
class OpenAi:
    """Verifies keys through the gateway that also asks the models."""

    gateway: Gateway
    name: str = "open_ai"
    label: str = "OpenAI (ChatGPT)"
    fields: type[SecretFields] = OpenAiFields

    def last4(self, secrets: OpenAiFields) -> str:
        return secrets.api_key.get_secret_value()[-4:]

    def verify(self, secrets: OpenAiFields, deadline: Deadline) -> KeyCheckResult:
        try:
            return KeyCheckResult(self.gateway.list_models(secrets.api_key, deadline))
        except DeadlineExceeded:
            raise UpstreamError from None

    def bind(self, secrets: OpenAiFields, model: str, deadline: Deadline) -> BoundModel:
        """A model to ask with this key."""
        return self.gateway.bind(secrets.api_key, model, deadline)
