"""Which model a call uses, and whether it may: text models only, inside the operator's and the organization's lists."""

from collections.abc import Sequence

from glific_gpt.catalogue import allowlist
from glific_gpt.catalogue.kinds import Kind, classify
from glific_gpt.errors import GlificGptError, ModelNotAllowed, ModelNotSupported, ModelNotText


def canonical(model: str) -> str:
    """The id as OpenAI writes it: small letters, except in a fine-tune, whose suffix is its owner's own."""
    model = model.strip()
    return model if model.lower().startswith("ft:") else model.lower()


def refusal(model: str, operator: Sequence[str], organization: Sequence[str] | None) -> GlificGptError | None:
    """Why this organization may not use this model; None when it may.

    An organization's list can only narrow the operator's: None is all of it, an empty list nothing.
    """
    kind = classify(model)
    if kind is Kind.COMPLETION:
        return ModelNotSupported(f"{model} only completes text and cannot answer questions: choose another model.")
    if kind is not Kind.TEXT:
        return ModelNotText(
            f"{model} is a model for {kind}, and only text models can be used here: choose a text model."
        )
    if not allowlist.allows(tuple(operator), model):
        return ModelNotAllowed(f"The administrators of this server do not allow {model}: choose another model.")
    if organization is not None and not allowlist.allows(tuple(organization), model):
        return ModelNotAllowed(f"This organization's list of models does not allow {model}: choose another, or add it.")
    return None
