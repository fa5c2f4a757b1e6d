"""The models of a page, as its rows: which of them a list lets in, by which of its patterns, and why others are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _

from glific_gpt.console.forms import models
from glific_gpt.console.forms.allowlist import ONLY, AllowForm, readable
from glific_gpt.credentials import reachable_models, store
from glific_gpt.credentials.reachable_models import Model
from glific_gpt.credentials.tables import Credential
from glific_gpt.database import transaction
from glific_gpt.models import allowlist
from glific_gpt.models.kinds import Kind
from glific_gpt.organizations import server_models
from glific_gpt.organizations.tables import Organization
from glific_gpt.services import services

KINDS = {
    Kind.SPEECH: (_("Speech"), _("They read text aloud.")),
    Kind.TRANSCRIPTION: (_("Transcription"), _("They write down what is spoken.")),
    Kind.AUDIO: (_("Audio"), _("They listen or speak.")),
    Kind.REALTIME: (_("Live conversation"), _("They talk over an open connection.")),
    Kind.IMAGE: (_("Images"), _("They make pictures.")),
    Kind.VIDEO: (_("Video"), _("They make videos.")),
    Kind.EMBEDDING: (_("Embeddings"), _("They answer with numbers, not with text.")),
    Kind.MODERATION: (_("Moderation"), _("They judge texts and do not answer.")),
    Kind.COMPLETION: (_("Older completion models"), _("They go on with a text, and cannot answer questions.")),
}


@dataclass(frozen=True)
class Row:
    """One text model."""

    model: Model
    is_on: bool
    """Whether the list lets it in, inside what is above the list."""
    by: str | None
    """The pattern with a star that lets it in; a tick cannot take it off the list."""

    @property
    def in_reach(self) -> bool:
        """Whether this list is what decides about it."""
        return self.model.refusal is None


@dataclass(frozen=True)
class Match:
    """What one line of the list lets in."""

    line: str
    is_pattern: bool
    ids: list[str]


@dataclass(frozen=True)
class Rows:
    """All of a page's models."""

    texts: list[Row]
    others: list[tuple[tuple[str, str], list[str]]]
    """The name of a kind and what such models do, with their ids."""
    matches: list[Match]
    """Of each line, while some models are chosen by patterns."""

    @property
    def usable(self) -> list[str]:
        return [row.model.id for row in self.texts if row.is_on]


def rows(models: Sequence[Model], form: AllowForm) -> Rows:
    """Of models with what is decided above this list, under the list as it stands in the form."""
    patterns = form.wanted
    texts = sorted((model for model in models if model.kind is Kind.TEXT), key=lambda model: model.id)
    return Rows(
        texts=[_row(model, patterns) for model in texts],
        others=[(words, ids) for kind, words in KINDS.items() if (ids := _ids(models, kind))],
        matches=[_match(line, texts) for line in form.lines] if form.scope.data == ONLY else [],
    )


def _row(model: Model, patterns: list[str] | None) -> Row:
    on = patterns is None or allowlist.allows(tuple(patterns), model.id)
    stars = [pattern for pattern in patterns or () if "*" in pattern and allowlist.allows((pattern,), model.id)]
    return Row(model, model.refusal is None and on, stars[0] if stars else None)


def _match(line: str, texts: list[Model]) -> Match:
    pattern = tuple(readable([line]))
    ids = [model.id for model in texts if model.refusal is None and allowlist.allows(pattern, model.id)]
    return Match(line, bool(pattern), ids)


def _ids(models: Sequence[Model], kind: Kind) -> list[str]:
    return sorted(model.id for model in models if model.kind is kind)


@dataclass(frozen=True)
class ModelsPage:
    """The models of the organization's key, under the list as it stands in a form."""

    rows: Rows
    refused_default: str | None
    """The default model, if the list leaves calls that name none without an answer."""
    has_key: bool
    asked_at: datetime | None
    """When OpenAI said which models there are; None where the list is only what this server knows."""


def models_page(organization: Organization, form: AllowForm) -> ModelsPage:
    credential, administrators = _look_up(organization)
    above = _judged(credential, administrators, None)
    asked = credential is not None and credential.models is not None
    return ModelsPage(
        rows=rows(above, form),
        refused_default=models.refused(organization, administrators, form.wanted),
        has_key=credential is not None,
        asked_at=credential.verified_at if credential and asked else None,
    )


def usable_now(organization: Organization) -> list[str]:
    """The models that calls may use as everything is stored, by name."""
    found = _judged(*_look_up(organization), organization.allowed_models)
    return sorted(model.id for model in found if model.refusal is None)


def _look_up(organization: Organization) -> tuple[Credential | None, list[str] | None]:
    with transaction() as session:
        credential = store.find_if_any(session, organization.id, services().language_models)
        return credential, server_models.find(session)


def _judged(credential: Credential | None, administrators: list[str] | None, own: list[str] | None) -> list[Model]:
    return reachable_models.judged(reachable_models.ids_of(credential), services().settings.models, administrators, own)
