"""Build and convert flows with the address, authentication and model of one organization."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr
from sqlalchemy.orm import Session

from glific_gpt.database import transaction
from glific_gpt.errors import MSG_SEARCHES_NO_FILES, N_, InvalidValue
from glific_gpt.flows import converting, files
from glific_gpt.flows.building import FlowOptions, FlowSpec, Mode, build_flow
from glific_gpt.flows.building.spec import MAX_NAME_LENGTH
from glific_gpt.flows.converting import Conversion, Placement
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.structure import normalize_keyword
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.openai.traits import searches_files
from glific_gpt.operations.ready_flows.warnings import (
    FlowWarning,
    OrganizationState,
    answer_warnings,
    auth_warnings,
    document_warnings,
    url_warnings,
)
from glific_gpt.organizations import server_models, store, tokens
from glific_gpt.organizations.connections import store as connections
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.organizations.tables import Organization
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services
from glific_gpt.settings import MODEL_NAME

DEFAULTS = FlowOptions()
# PostgreSQL cannot store NUL, and escape sequences in a flow's name must not reach a terminal.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

MSG_SIGNATURE_REQUIRED = N_(
    "This organization accepts only calls with Glific's signature. Choose the signature for this flow."
)
MSG_INVALID_MODEL = N_("This is not the name of a model. Use letters, digits and . _ : / - only, such as gpt-4o-mini.")
MSG_NOT_TEXT_MODEL = N_("This model cannot answer with text. Choose a text model.")


class AuthMethod(StrEnum):
    """How a flow authenticates its calls."""

    TOKEN = "token"  # noqa: S105 - the name of a method, not a token
    SIGNATURE = "signature"


@dataclass(frozen=True)
class FlowFile:
    """A file to import into Glific under Flows."""

    text: str = field(repr=False)
    """JSON. It may hold a webhook token, which is stored nowhere else."""
    file_name: str
    warnings: tuple[FlowWarning, ...]


@dataclass(frozen=True)
class ConvertedFlowFile(FlowFile):
    """The flow after its GPT nodes were changed to call this server; the original text if it has none."""

    conversion: Conversion = field(repr=False)


@dataclass(frozen=True)
class ConversionPreview:
    """The changes and warnings of a conversion."""

    conversion: Conversion = field(repr=False)
    warnings: tuple[FlowWarning, ...]


def export_flow(
    slug: str,
    *,
    mode: Mode,
    name: str = "",
    keyword: str = "",
    model: str = "",
    options: FlowOptions = DEFAULTS,
    auth_method: AuthMethod | None = None,
) -> FlowFile:
    """Build a new flow. Create a webhook token for it, unless it uses the signature.

    Empty values get a default, and the keyword is normalized as Glific does. Without `auth_method`, use the signature
    if the organization requires it, else a token. Raises NotFound, and InvalidValue before a token is created.
    """
    with transaction() as session:
        state = _load_state(session, slug)
        organization = state.organization
        name = (name.strip() or _default_name(organization, mode)).strip()
        model = _validate_model(
            model or organization.default_model or services().settings.default_model,
            state.credential.base_url if state.credential else None,
        )
        if options.uses_documents and not searches_files(model):
            raise InvalidValue(MSG_SEARCHES_NO_FILES.format(model=model))
        # In one transaction with the validation below: a refused specification must leave no token behind.
        endpoint, label = _create_endpoint(session, organization, name, auth_method)
        keyword = normalize_keyword(keyword) if keyword else f"ask{mode}"
        flow = build_flow(FlowSpec(mode, name, keyword, endpoint, model, **options._asdict()))
    warnings = (
        *auth_warnings(endpoint.url, label, organization),
        *answer_warnings(state, model, is_deferred=mode is not Mode.SYNC),
        *(document_warnings(organization, mode) if options.uses_documents else ()),
    )
    return FlowFile(files.format_export(flow), f"{slug}-{mode}.json", warnings)


def convert_flow(
    slug: str,
    text: str | bytes,
    *,
    auth_method: AuthMethod | None = None,
    placement: Placement = Placement.COPY,
) -> ConvertedFlowFile:
    """Convert the FUNCTION nodes of an exported flow into calls of this server.

    Create a token only if a node changes. Without `auth_method`, use the signature if the organization requires it.
    Raises NotFound, InvalidFlowExport and InvalidValue.
    """
    # Before the transaction: a large file takes seconds, and SQLite has one connection for writing.
    export, file_name = files.parse_export(text), f"{slug}-converted.json"
    with transaction() as session:
        state = _load_state(session, slug)
        if not converting.has_convertible_nodes(export, models=state.model_rules()):
            # The given text, so that a file without such nodes stays the same in every character.
            unchanged = text.decode() if isinstance(text, bytes) else text
            conversion = converting.convert(export, _tokenless_endpoint(state), models=state.model_rules())
            return ConvertedFlowFile(unchanged, file_name, (), conversion)
        endpoint, label = _create_endpoint(session, state.organization, _first_flow_name(export), auth_method)
    conversion = converting.convert(export, endpoint, placement, models=state.model_rules())
    converted = files.format_export(conversion.export, original=text, parsed_original=export)
    return ConvertedFlowFile(converted, file_name, _conversion_warnings(state, label), conversion)


def preview_conversion(
    slug: str,
    text: str | bytes,
    *,
    auth_method: AuthMethod | None = None,
    placement: Placement = Placement.COPY,
) -> ConversionPreview:
    """Return the report and warnings of `convert_flow`; create no token. Raises NotFound and InvalidFlowExport."""
    export = files.parse_export(text)
    with transaction() as session:
        state = _load_state(session, slug)
    conversion = converting.convert(export, _tokenless_endpoint(state), placement, models=state.model_rules())
    label = None if _uses_signature(state.organization, auth_method) else _token_label(_first_flow_name(export))
    return ConversionPreview(conversion, _conversion_warnings(state, label) if conversion.changed else ())


def list_setup_warnings(slug: str) -> tuple[FlowWarning, ...]:
    """Return the warnings that concern every flow of the organization. Raises NotFound."""
    with transaction() as session:
        state = _load_state(session, slug)
    return (*url_warnings(_url(state.organization)), *answer_warnings(state, None, is_deferred=False))


def _conversion_warnings(state: OrganizationState, token_label: str | None) -> tuple[FlowWarning, ...]:
    organization = state.organization
    return (
        *auth_warnings(_url(organization), token_label, organization),
        *answer_warnings(state, None, is_deferred=False),
    )


def _load_state(session: Session, slug: str) -> OrganizationState:
    app, organization = services(), store.find(session, slug)
    return OrganizationState(
        organization=organization,
        credential=credentials.find_or_none(session, organization.id, app.model_provider),
        is_connected=connections.find_or_none(session, organization.id) is not None,
        default_model=organization.default_model or app.settings.default_model,
        operator_models=app.settings.models,
        administrator_models=server_models.find_allowed_models(session),
        functions=app.functions,
    )


def _tokenless_endpoint(state: OrganizationState) -> WebhookEndpoint:
    return WebhookEndpoint(_url(state.organization), None)


def _create_endpoint(
    session: Session, organization: Organization, flow_name: str, auth_method: AuthMethod | None
) -> tuple[WebhookEndpoint, str | None]:
    """Return the endpoint, and the label of the token that was created for it. Raises InvalidValue."""
    if auth_method is AuthMethod.TOKEN and organization.require_signature:
        raise InvalidValue(MSG_SIGNATURE_REQUIRED)
    if _uses_signature(organization, auth_method):
        return WebhookEndpoint(_url(organization), None), None
    label = tokens.find_free_label(session, organization, _token_label(flow_name))
    _, token = tokens.create_webhook_token(session, organization, label)
    return WebhookEndpoint(_url(organization), SecretStr(token)), label


def _uses_signature(organization: Organization, auth_method: AuthMethod | None) -> bool:
    return auth_method is AuthMethod.SIGNATURE or organization.require_signature


def _url(organization: Organization) -> str:
    return webhook_url(services().settings.public_url, organization.slug)


def _default_name(organization: Organization, mode: Mode) -> str:
    suffix = f" ({mode})"
    return f"Ask {organization.name}"[: MAX_NAME_LENGTH - len(suffix)] + suffix


def _token_label(flow_name: str) -> str:
    return f"Flow: {_CONTROL_CHARACTERS.sub(' ', flow_name)}"[: tokens.MAX_LABEL_LENGTH].strip()


def _first_flow_name(export: files.Export) -> str:
    return str(export["flows"][0]["definition"].get("name") or "converted")


def _validate_model(model: str, base_url: str | None) -> str:
    """Return the model in the spelling of the key's server. Raises InvalidValue if it is not a text model."""
    model = allowlist.canonical_id(model, base_url)
    if not re.fullmatch(MODEL_NAME, model):
        raise InvalidValue(MSG_INVALID_MODEL)
    if classify_model(model) is not ModelKind.TEXT:
        raise InvalidValue(MSG_NOT_TEXT_MODEL)
    return model
