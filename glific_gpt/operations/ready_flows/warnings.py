"""Warnings about a flow file: the token in it, and anything that would prevent answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from glific_gpt.errors import N_, CredentialInactive, CredentialMissing, GlificGptError, OrganizationInactive
from glific_gpt.flows.building import Mode
from glific_gpt.flows.converting import ModelRules, Remark
from glific_gpt.flows.converting.report import READS_NO_PICTURES, SEARCHES_NO_FILES, SERVER_SEARCHES_NO_FILES
from glific_gpt.functions.contract import Need
from glific_gpt.functions.registry import Registry
from glific_gpt.models import allowlist
from glific_gpt.network.http_client import is_private_host
from glific_gpt.openai.hosts import host_of, serves_openai
from glific_gpt.openai.traits import PREFERRED_MODELS, accepts_pictures, searches_files, supports_json_schema
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization

MSG_HOLDS_TOKEN = N_(
    "The file holds a webhook token. Everyone who can edit the flow in Glific can read it. If it gets into the wrong "
    'hands, revoke the token "%(label)s" and create a new flow.'
)
MSG_NO_SIGNATURE_PHRASE = N_(
    "This flow signs in with Glific's webhook signature, but none is set here. Set the same one as in Glific."
)
MSG_NOT_CONNECTED = N_("This flow waits for later answers. Connect the organization to Glific first.")
MSG_NO_STORE = N_(
    "No vector store is chosen yet, so every call of this flow fails. Choose one on the page Documents of the console."
)
MSG_SLOW_DOCUMENTS = N_(
    "Answers from documents often take longer than the 5 seconds that this flow waits. Choose the mode auto."
)
MSG_NOT_PUBLIC = N_("The flow calls %(url)s, which Glific cannot reach. Give this server a public address first.")
MSG_NOT_ENCRYPTED = N_(
    "The flow calls %(url)s without https, so others can read tokens and questions on the network. Use https."
)


@dataclass(frozen=True)
class FlowWarning:
    """A warning: a translatable template and the values of its placeholders."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the warning in English."""
        return self.template % self.values if self.values else self.template


@dataclass(frozen=True)
class OrganizationState:
    """The settings of an organization that affect its flows."""

    organization: Organization
    credential: Credential | None
    """The OpenAI key."""
    is_connected: bool
    """True if it is connected to Glific."""
    default_model: str
    """The model of flows that name none."""
    operator_models: tuple[str, ...]
    """Patterns of the models that every organization may use, from the server's environment."""
    administrator_models: list[str] | None
    """The administrators' allowlist for all organizations."""
    functions: Registry

    @property
    def base_url(self) -> str | None:
        """The address of the key; None for the server's own."""
        return self.credential.base_url if self.credential else None

    def model_refusal(self, model: str) -> GlificGptError | None:
        """Return the reason why the organization may not use the model; None if it may."""
        return allowlist.access_error(
            allowlist.canonical_id(model, self.base_url),
            self.operator_models,
            self.administrator_models,
            self.organization.allowed_models,
        )

    def schema_model(self, model: str) -> tuple[str, str] | None:
        """Return the model that cannot answer by a JSON schema, and one that can; None if the model can."""
        asked = model or self.default_model
        if supports_json_schema(asked):
            return None
        able = (each for each in (*PREFERRED_MODELS, self.default_model) if supports_json_schema(each))
        allowed = (each for each in able if self.model_refusal(each) is None)
        return asked, next(allowed, PREFERRED_MODELS[0])

    def inability(self, function: str, model: str) -> Remark | None:
        """Return a warning if the model, or the default one for "", cannot do what the function needs."""
        needs = self.functions.get(function).needs
        asked = allowlist.canonical_id(model or self.default_model, self.base_url)
        if Need.PICTURES in needs and not accepts_pictures(asked):
            return Remark(READS_NO_PICTURES, {"model": asked})
        if Need.FILE_SEARCH in needs and self.base_url and not serves_openai(self.base_url):
            return Remark(SERVER_SEARCHES_NO_FILES, {"host": host_of(self.base_url)})
        if Need.FILE_SEARCH in needs and not searches_files(asked):
            return Remark(SEARCHES_NO_FILES, {"model": asked})
        return None

    def model_rules(self) -> ModelRules:
        store = self.organization.vector_store_id or ""
        return ModelRules(self.model_refusal, self.schema_model, self.inability, store)


def auth_warnings(url: str, token_label: str | None, organization: Organization) -> Iterator[FlowWarning]:
    """Yield warnings about the endpoint. `token_label` is None for a flow that uses the signature."""
    if token_label is not None:
        yield FlowWarning(MSG_HOLDS_TOKEN, {"label": token_label})
    elif organization.signature_phrase is None:
        yield FlowWarning(MSG_NO_SIGNATURE_PHRASE)
    yield from url_warnings(url)


def document_warnings(organization: Organization, mode: Mode) -> Iterator[FlowWarning]:
    """Yield warnings about a flow that answers from documents."""
    if organization.vector_store_id is None:
        yield FlowWarning(MSG_NO_STORE)
    if mode is Mode.SYNC:
        yield FlowWarning(MSG_SLOW_DOCUMENTS)


def url_warnings(url: str) -> Iterator[FlowWarning]:
    # The host's name is not resolved here, because a page waits for this.
    if is_private_host(urlsplit(url).hostname or ""):
        yield FlowWarning(MSG_NOT_PUBLIC, {"url": url})
    elif not url.startswith("https:"):
        yield FlowWarning(MSG_NOT_ENCRYPTED, {"url": url})


def answer_warnings(state: OrganizationState, model: str | None, *, is_deferred: bool) -> Iterator[FlowWarning]:
    """Yield a warning for each setting that now prevents answers; `is_deferred` if the flow waits for later answers."""
    if not state.organization.is_active:
        yield FlowWarning(OrganizationInactive.default_message)
    if state.credential is None:
        yield FlowWarning(CredentialMissing.default_message)
    elif not state.credential.is_active:
        yield FlowWarning(CredentialInactive.default_message)
    refusal = state.model_refusal(model) if model else None
    if refusal:
        yield FlowWarning(str(refusal))
    if is_deferred and not state.is_connected:
        yield FlowWarning(MSG_NOT_CONNECTED)
