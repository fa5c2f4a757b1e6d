"""The models that an organization's key reaches, each with whether it may be used, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from glific_gpt.credentials.tables import Credential
from glific_gpt.models import allowlist, prices
from glific_gpt.models.kinds import Kind, classify
from glific_gpt.models.prices import Prices
from glific_gpt.openai import traits
from glific_gpt.organizations import server_models
from glific_gpt.organizations.tables import Organization


@dataclass(frozen=True)
class Model:
    """One model, as one organization sees it."""

    id: str
    kind: Kind
    refusal: str | None
    """Why it may not be used; None when it may."""
    prices: Prices | None


def reachable(
    session: Session, organization: Organization, credential: Credential | None, operator: Sequence[str]
) -> list[Model]:
    """The models of its key, under all lists that there are."""
    return judged(ids_of(credential), operator, server_models.find(session), organization.allowed_models)


def ids_of(credential: Credential | None) -> list[str]:
    """Those that the provider listed when the key was verified; without such a list, those that are known."""
    return (credential.models if credential else None) or traits.known_model_ids()


def judged(
    ids: Sequence[str], operator: Sequence[str], administrators: Sequence[str] | None, own: Sequence[str] | None
) -> list[Model]:
    """These models under these lists, each of which narrows the one before."""
    return [_model(model_id, operator, administrators, own) for model_id in ids]


def _model(
    model_id: str, operator: Sequence[str], administrators: Sequence[str] | None, own: Sequence[str] | None
) -> Model:
    refusal = allowlist.refusal(model_id, operator, administrators, own)
    return Model(model_id, classify(model_id), str(refusal) if refusal else None, prices.per_million(model_id))
