"""The models of a page, as its rows: which of them a list lets in, by which of its patterns, and why others are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _

from glific_gpt.console.forms import models
from glific_gpt.console.forms.allowlist import ONLY, AllowlistForm, parse_patterns
from glific_gpt.credentials import reachable_models, store
from glific_gpt.credentials.reachable_models import ModelAccess
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import ModelKind
from glific_gpt.organizations import server_models
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

KIND_TEXTS = {
    ModelKind.SPEECH: (_("Speech"), _("They read text aloud.")),
    ModelKind.TRANSCRIPTION: (_("Transcription"), _("They write down what is spoken.")),
    ModelKind.AUDIO: (_("Audio"), _("They listen or speak.")),
    ModelKind.REALTIME: (_("Live conversation"), _("They talk over an open connection.")),
    ModelKind.IMAGE: (_("Images"), _("They make pictures.")),
    ModelKind.VIDEO: (_("Video"), _("They make videos.")),
    ModelKind.EMBEDDING: (_("Embeddings"), _("They answer with numbers, not with text.")),
    ModelKind.MODERATION: (_("Moderation"), _("They judge texts and do not answer.")),
    ModelKind.COMPLETION: (_("Older completion models"), _("They go on with a text, and cannot answer questions.")),
}


@dataclass(frozen=True)
class ModelRow:
    """One text model."""

    model: ModelAccess
    is_on: bool
    """Whether the list lets it in, inside what is above the list."""
    by: str | None
    """The pattern with a star that lets it in; a tick cannot take it off the list."""

    @property
    def in_reach(self) -> bool:
        """Whether this list is what decides about it."""
        return self.model.refusal is None


@dataclass(frozen=True)
class PatternMatch:
    """What one line of the list lets in."""

    line: str
    is_pattern: bool
    ids: list[str]


@dataclass(frozen=True)
class ModelRows:
    """All of a page's models."""

    texts: list[ModelRow]
    others: list[tuple[tuple[str, str], list[str]]]
    """The name of a kind and what such models do, with their ids."""
    matches: list[PatternMatch]
    """Of each line, while some models are chosen by patterns."""

    @property
    def usable(self) -> list[str]:
        return [row.model.id for row in self.texts if row.is_on]


def build_rows(models: Sequence[ModelAccess], form: AllowlistForm) -> ModelRows:
    """Of models with what is decided above this list, under the list as it stands in the form."""
    patterns = form.allowed_models
    texts = sorted((model for model in models if model.kind is ModelKind.TEXT), key=lambda model: model.id)
    return ModelRows(
        texts=[_row(model, patterns) for model in texts],
        others=[(words, ids) for kind, words in KIND_TEXTS.items() if (ids := _ids(models, kind))],
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
    """The models of the organization's key, under the list as it stands in a form."""

    rows: ModelRows
    refused_default: str | None
    """The default model, if the list leaves calls that name none without an answer."""
    has_key: bool
    asked_at: datetime | None
    """When OpenAI said which models there are; None where the list is only what this server knows."""


def build_models_page(organization: Organization, form: AllowlistForm) -> ModelsPage:
    credential, administrators = _look_up(organization)
    above = _judged(credential, administrators, None)
    asked = credential is not None and credential.models is not None
    return ModelsPage(
        rows=build_rows(above, form),
        refused_default=models.refused_default_model(organization, administrators, form.allowed_models),
        has_key=credential is not None,
        asked_at=credential.verified_at if credential and asked else None,
    )


def list_usable_models(organization: Organization) -> list[str]:
    """The models that calls may use as everything is stored, by name."""
    found = _judged(*_look_up(organization), organization.allowed_models)
    return sorted(model.id for model in found if model.refusal is None)


def _look_up(organization: Organization) -> tuple[Credential | None, list[str] | None]:
    with transaction() as session:
        credential = store.find_or_none(session, organization.id, services().language_models)
        return credential, server_models.find_allowed_models(session)


def _judged(credential: Credential | None, administrators: list[str] | None, own: list[str] | None) -> list[ModelAccess]:
    return reachable_models.evaluate_models(reachable_models.reachable_model_ids(credential), services().settings.models, administrators, own)
