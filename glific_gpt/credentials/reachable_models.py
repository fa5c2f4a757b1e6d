"""Models that an organization's key can use, each with the result of the allowlists."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from glific_gpt.credentials.tables import Credential
from glific_gpt.models import allowlist, prices
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.models.prices import ModelPrices
from glific_gpt.openai import traits
from glific_gpt.organizations import server_models
from glific_gpt.organizations.tables import Organization


@dataclass(frozen=True)
class ModelAccess:
    """One model and whether one organization may use it."""

    id: str
    kind: ModelKind
    refusal: str | None
    """Message of the reason if it may not be used, else None."""
    prices: ModelPrices | None


def list_reachable_models(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> list[ModelAccess]:
    """Return the models of the key, evaluated under all allowlists. `operator` has the operator's patterns."""
    return evaluate_models(
        reachable_model_ids(credential),
        operator,
        server_models.find_allowed_models(session),
        organization.allowed_models,
    )


def reachable_model_ids(credential: Credential | None) -> list[str]:
    """Return the ids that the provider listed at the last verification, or all ids known to the library."""
    return (credential.models if credential else None) or traits.known_model_ids()


def evaluate_models(
    ids: Sequence[str], operator: Sequence[str], administrators: Sequence[str] | None, own: Sequence[str] | None
) -> list[ModelAccess]:
    """Evaluate the models under these allowlists, each of which narrows the one before it."""
    return [_evaluate(model_id, operator, administrators, own) for model_id in ids]


def _evaluate(
    model_id: str, operator: Sequence[str], administrators: Sequence[str] | None, own: Sequence[str] | None
) -> ModelAccess:
    refusal = allowlist.access_error(model_id, operator, administrators, own)
    return ModelAccess(
        model_id, classify_model(model_id), str(refusal) if refusal else None, prices.prices_per_million(model_id)
    )
