"""Models that an organization's key can use, each with the result of the allowlists."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from glific_gpt.models import allowlist, prices
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.models.prices import ModelPrices
from glific_gpt.openai import traits
from glific_gpt.openai.hosts import serves_openai
from glific_gpt.organizations import server_models
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization

_Lists = tuple[Sequence[str], Sequence[str] | None, Sequence[str] | None]
"""The allowlists of the operator, the administrators and the organization."""


@dataclass(frozen=True)
class ModelAccess:
    """One model and whether one organization may use it."""

    id: str
    kind: ModelKind
    refusal: str | None
    """Message of the reason if it may not be used, else None."""
    prices: ModelPrices | None
    reads_pictures: bool | None
    """None if it is not known, as for the models of a server that is not OpenAI."""
    searches_files: bool
    """True if it can search documents in vector stores."""


def list_reachable_models(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> list[ModelAccess]:
    """Return the models of the key, evaluated under all allowlists. `operator` has the operator's patterns."""
    return evaluate_models(
        credential,
        operator,
        server_models.find_allowed_models(session),
        organization.allowed_models,
    )


def reachable_model_ids(credential: Credential | None) -> list[str]:
    """Return the ids that the provider listed at the last verification.

    Without a list, return all ids known to the library, or none for a server that is not OpenAI.
    """
    if credential and (credential.models or not serves_openai(credential.base_url)):
        return credential.models or []
    return traits.known_model_ids()


def evaluate_models(
    credential: Credential | None,
    operator: Sequence[str],
    administrators: Sequence[str] | None,
    own: Sequence[str] | None,
) -> list[ModelAccess]:
    """Evaluate the models of a key under these allowlists, each of which narrows the one before it."""
    base_url = credential.base_url if credential else None
    lists = (operator, administrators, own)
    return [_evaluate(model_id, base_url, lists) for model_id in reachable_model_ids(credential)]


def _evaluate(model_id: str, base_url: str | None, lists: _Lists) -> ModelAccess:
    kind, is_openai = classify_model(model_id), serves_openai(base_url)
    refusal = allowlist.access_error(model_id, *lists)
    is_text = kind is ModelKind.TEXT
    reads_pictures = is_text and traits.accepts_pictures(model_id)
    return ModelAccess(
        id=model_id,
        kind=kind,
        refusal=str(refusal) if refusal else None,
        prices=prices.prices_per_million(model_id, base_url) if is_openai else None,
        reads_pictures=reads_pictures if is_openai or not is_text else None,
        searches_files=is_openai and is_text and traits.searches_files(model_id),
    )
