"""Which model a call uses, and whether it may: text models only, and those on every list that narrows them."""

from collections.abc import Sequence

from glific_gpt.catalogue import allowlist
from glific_gpt.catalogue.kinds import Kind, classify
from glific_gpt.errors import GlificGptError, ModelNotAllowed, ModelNotSupported, ModelNotText


def canonical(model: str) -> str:
    """The id as OpenAI writes it: small letters, except in a fine-tune, whose suffix is its owner's own."""
    model = model.strip()
    return model if model.lower().startswith("ft:") else model.lower()


def refusal(
    model: str,
    operator: Sequence[str],
    administrators: Sequence[str] | None,
    organization: Sequence[str] | None,
) -> GlificGptError | None:
    """Why this organization may not use this model; None when it may.

    Each list can only narrow the one before: None is all of it, an empty list nothing. The operator's comes from the
    environment, the administrators' from the database.
    """
    kind = classify(model)
    if kind is Kind.COMPLETION:
        return ModelNotSupported(f"{model} only completes text and cannot answer questions: choose another model.")
    if kind is not Kind.TEXT:
        return ModelNotText(
            f"{model} is a model for {kind}, and only text models can be used here: choose a text model."
        )
    if not (allowlist.allows(tuple(operator), model) and _is_on(administrators, model)):
        return ModelNotAllowed(f"The administrators of this server do not allow {model}: choose another model.")
    if not _is_on(organization, model):
        return ModelNotAllowed(f"This organization's list of models does not allow {model}: choose another, or add it.")
    return None


def _is_on(patterns: Sequence[str] | None, model: str) -> bool:
    return patterns is None or allowlist.allows(tuple(patterns), model)
