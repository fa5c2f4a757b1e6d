"""Rows of the model pages: the models that an allowlist allows, by which pattern, and the reasons for the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _

from glific_gpt.console.forms import models
from glific_gpt.console.forms.allowlist import ONLY, AllowlistForm, parse_patterns
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import ModelKind
from glific_gpt.organizations import server_models
from glific_gpt.organizations.credentials import reachable_models, store
from glific_gpt.organizations.credentials.reachable_models import ModelAccess
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

KIND_TEXTS = {
    ModelKind.SPEECH: (_("Speech"), _("They read text aloud.")),
    ModelKind.TRANSCRIPTION: (_("Transcription"), _("They turn speech into text.")),
    ModelKind.AUDIO: (_("Audio"), _("They use sound as input or output.")),
    ModelKind.REALTIME: (_("Live conversation"), _("They hold a spoken conversation.")),
    ModelKind.IMAGE: (_("Images"), _("They create pictures.")),
    ModelKind.VIDEO: (_("Video"), _("They create videos.")),
    ModelKind.EMBEDDING: (_("Embeddings"), _("They turn text into numbers.")),
    ModelKind.MODERATION: (_("Moderation"), _("They check texts for harmful content and do not answer.")),
    ModelKind.TOOLS: (_("Research and computer use"), _("They need tools that this server does not offer.")),
    ModelKind.COMPLETION: (_("Older completion models"), _("They continue a text and cannot answer questions.")),
}


@dataclass(frozen=True)
class ModelRow:
    """One text model."""

    model: ModelAccess
    is_on: bool
    """True if this list and all lists above it allow the model."""
    pattern: str | None
    """The wildcard pattern that allows it. A checkbox cannot remove such a model from the list."""

    @property
    def is_selectable(self) -> bool:
        """True if the lists above allow the model, so that this list decides."""
        return self.model.refusal is None


@dataclass(frozen=True)
class PatternMatch:
    """Models that one line of the list allows."""

    line: str
    is_pattern: bool
    ids: list[str]


@dataclass(frozen=True)
class ModelRows:
    """All models of a page."""

    texts: list[ModelRow]
    others: list[tuple[tuple[str, str], list[str]]]
    """Name and description of each other kind, with the ids of its models."""
    matches: list[PatternMatch]
    """One for each line; empty unless the list is restricted."""

    @property
    def usable(self) -> list[str]:
        return [row.model.id for row in self.texts if row.is_on]


def build_rows(models: Sequence[ModelAccess], form: AllowlistForm) -> ModelRows:
    """Build the rows for models evaluated under the lists above this one, and for the list in the form."""
    patterns = form.allowed_models
    texts = sorted((model for model in models if model.kind is ModelKind.TEXT), key=lambda model: model.id)
    return ModelRows(
        texts=[_row(model, patterns) for model in texts],
        others=[(texts, ids) for kind, texts in KIND_TEXTS.items() if (ids := _ids(models, kind))],
        matches=[_match(line, texts) for line in form.lines] if form.scope.data == ONLY else [],
    )


def _row(model: ModelAccess, patterns: list[str] | None) -> ModelRow:
    on = patterns is None or allowlist.matches_any(tuple(patterns), model.id)
    stars = [pattern for pattern in patterns or () if "*" in pattern and allowlist.matches_any((pattern,), model.id)]
    return ModelRow(model, model.refusal is None and on, stars[0] if stars else None)


def _match(line: str, texts: list[ModelAccess]) -> PatternMatch:
    pattern = tuple(parse_patterns([line]))
    ids = [model.id for model in texts if model.refusal is None and allowlist.matches_any(pattern, model.id)]
    return PatternMatch(line, bool(pattern), ids)


def _ids(models: Sequence[ModelAccess], kind: ModelKind) -> list[str]:
    return sorted(model.id for model in models if model.kind is kind)


@dataclass(frozen=True)
class ModelsPage:
    """The models of the organization's key under the list in a form."""

    rows: ModelRows
    blocked_default: str | None
    """The default model if the list does not allow it, so that calls without a model fail."""
    has_key: bool
    listed_at: datetime | None
    """Time at which OpenAI listed the models; None if the list is this server's own."""


def build_models_page(organization: Organization, form: AllowlistForm) -> ModelsPage:
    credential, administrators = _load(organization)
    models_above = _evaluate(credential, administrators, None)
    is_listed = credential is not None and credential.models is not None
    return ModelsPage(
        rows=build_rows(models_above, form),
        blocked_default=models.refused_default_model(organization, administrators, form.allowed_models),
        has_key=credential is not None,
        listed_at=credential.verified_at if credential and is_listed else None,
    )


def list_usable_models(organization: Organization) -> list[str]:
    """Return the ids of the models that calls may use under the stored lists, sorted."""
    models = _evaluate(*_load(organization), organization.allowed_models)
    return sorted(model.id for model in models if model.refusal is None)


def _load(organization: Organization) -> tuple[Credential | None, list[str] | None]:
    with transaction() as session:
        credential = store.find_or_none(session, organization.id, services().model_provider)
        return credential, server_models.find_allowed_models(session)


def _evaluate(
    credential: Credential | None, administrators: list[str] | None, own: list[str] | None
) -> list[ModelAccess]:
    return reachable_models.evaluate_models(credential, services().settings.models, administrators, own)
