"""Providers of language models: their form fields, and the verification of their keys."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from glific_gpt.clock import Deadline
from glific_gpt.errors import (
    MSG_ADDRESS_NOT_ALLOWED,
    DeadlineExceeded,
    InvalidApiKey,
    InvalidKey,
    InvalidValue,
    UpstreamError,
    validation,
)
from glific_gpt.openai.chat import LanguageModel
from glific_gpt.openai.hosts import OpenAiHosts, host_of, is_openai_host, serves_openai
from glific_gpt.openai.other_servers import name_server
from glific_gpt.organizations.credentials import pasted_keys

if TYPE_CHECKING:
    from glific_gpt.openai.gateway import Gateway
    from glific_gpt.openai.vector_stores import VectorStores


class SecretFields(BaseModel):
    """Base of a provider's form fields, which are SecretStr apart from the address."""

    base_url: str | None = None
    """The address to which the key is sent; None is the server's own. It is encrypted with the key, so that nobody can
    send the key elsewhere by a change in the database."""

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
    def base_url(self) -> str:
        """The address for keys without one of their own."""
        ...

    @property
    def hosts(self) -> OpenAiHosts:
        """The hosts that the address of a key may have."""
        ...

    @property
    def fields(self) -> type[SecretFields]:
        """Form fields of a key."""
        ...

    def last4(self, secrets: Any) -> str:
        """Return the last four characters of the key, or fewer of a short one."""
        ...

    def validate_url(self, base_url: str) -> str:
        """Return the address for a key in its normal form. Raises InvalidValue if the operator does not allow it."""
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
        picture_group: str | None = None,
    ) -> LanguageModel:
        """Return a model that uses this key. `fallback` is asked if the provider does not let the model answer.

        With `picture_group`, this server downloads the pictures of questions. Groups share its downloads in turns.
        """
        ...

    def documents(self, secrets: Any, deadline: Deadline) -> "VectorStores":
        """Return the vector stores that this key reaches."""
        ...


def read_fields(provider: Provider, values: dict[str, SecretStr], base_url: str | None = None) -> SecretFields:
    """Return the validated fields, for a key that is used at this address; None is the server's own.

    Raises InvalidValue, whose message never contains the input.
    """
    address = None if base_url is None else provider.validate_url(base_url)
    try:
        return provider.fields(base_url=address, **values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = first["loc"][-1]
        if first["type"] == NOT_A_KEY:
            reason = first["msg"]
            raise InvalidKey(f"{field}: {reason[:1].lower()}{reason[1:]}", reason=reason) from None
        raise InvalidValue(f"{field}: {validation.describe(first)}.") from None


NOT_A_KEY = "not_a_key"
"""Error type of a pasted text that is no key."""


def _read_key(key: SecretStr, info: ValidationInfo) -> SecretStr:
    """Remove what was copied with a key, and refuse what is no key of the server at its address."""
    text = pasted_keys.clean(key.get_secret_value())
    base_url = info.data.get("base_url")
    is_openais = base_url is None or is_openai_host(host_of(base_url))
    if reason := pasted_keys.refusal(text) if is_openais else pasted_keys.refusal_elsewhere(text):
        raise PydanticCustomError(NOT_A_KEY, reason)
    return SecretStr(text)


class OpenAiFields(SecretFields):
    api_key: Annotated[SecretStr, AfterValidator(_read_key)]


MAX_GATEWAYS = 500
"""Addresses with a client. The one that was not used for longest is dropped."""
SHOWN_CHARACTERS = 4


@dataclass(frozen=True)
class OpenAi:
    """OpenAI as a provider."""

    base_url: str
    """The address for keys without one of their own."""
    hosts: OpenAiHosts = field(default_factory=lambda: OpenAiHosts(()))
    """The hosts that the address of a key may have."""
    name: str = "open_ai"
    label: str = "OpenAI (ChatGPT)"
    fields: type[SecretFields] = OpenAiFields
    _others: "OrderedDict[str, Gateway]" = field(default_factory=OrderedDict, init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @cached_property
    def gateway(self) -> "Gateway":
        """The client of OpenAI's API, created with the first request."""
        # The openai library takes a fifth of the start of a command, and most commands ask nothing.
        from glific_gpt.openai.gateway import Gateway

        return Gateway(self.base_url)

    def gateway_at(self, base_url: str | None) -> "Gateway":
        """Return the client for this address of a key. Raises InvalidApiKey if the operator no longer allows it."""
        if base_url is None:
            return self.gateway
        try:
            self.hosts.validate_url(base_url)
        except InvalidValue:
            raise InvalidApiKey(MSG_ADDRESS_NOT_ALLOWED) from None
        with self._lock:
            if base_url not in self._others:
                self._others[base_url] = self._open(base_url)
            self._others.move_to_end(base_url)
            if len(self._others) > MAX_GATEWAYS:
                self._others.popitem(last=False)
            return self._others[base_url]

    def _open(self, base_url: str) -> "Gateway":
        from glific_gpt.openai.gateway import Gateway

        # The threads and the memory for pictures are those of the process, whatever the addresses of keys.
        pictures = self.gateway.pictures
        if serves_openai(base_url) and base_url.startswith("https://"):
            return Gateway(base_url, pictures=pictures)  # only OpenAI and Microsoft have certificates for their hosts
        return Gateway(base_url, imitates=True, allows=partial(self.hosts.may_connect, base_url), pictures=pictures)

    def validate_url(self, base_url: str) -> str:
        return self.hosts.validate_url(base_url)

    def last4(self, secrets: OpenAiFields) -> str:
        key = secrets.api_key.get_secret_value()
        return key[-min(SHOWN_CHARACTERS, max(1, len(key) // 3)) :]

    def verify(self, secrets: OpenAiFields, deadline: Deadline) -> KeyCheckResult:
        try:
            return KeyCheckResult(self.gateway_at(secrets.base_url).list_models(secrets.api_key, deadline))
        except DeadlineExceeded:
            # Its message advises to ask for a shorter answer, which makes no sense for a key check.
            raise name_server(UpstreamError(), secrets.base_url) from None

    def bind(
        self,
        secrets: OpenAiFields,
        model: str,
        deadline: Deadline,
        fallback: str | None = None,
        *,
        picture_group: str | None = None,
    ) -> LanguageModel:
        """Return a model that uses this key, and asks the fallback with the same key."""
        gateway = self.gateway_at(secrets.base_url)
        bound = gateway.bind(secrets.api_key, model, deadline, picture_group=picture_group)
        if fallback is None:
            return bound
        from glific_gpt.openai.fallback import ModelWithFallback

        return ModelWithFallback(bound, gateway.bind(secrets.api_key, fallback, deadline), deadline)

    def documents(self, secrets: OpenAiFields, deadline: Deadline) -> "VectorStores":
        return self.gateway_at(secrets.base_url).documents(secrets.api_key, deadline)
