"""Lists of model patterns such as gpt-4o*, and whether a model id is on one."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from glific_gpt.errors import GlificGptError, ModelNotAllowed, ModelNotSupported, ModelNotText
from glific_gpt.models.kinds import ModelKind, classify_model

_MAX_PATTERN_LENGTH = 200
_WELL_FORMED = re.compile(r"[a-z0-9._:/*-]+")
_STARS = re.compile(r"\*+")


def parse_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns trimmed, in lower case, without blanks and repetitions, in their order.

    Raises ValueError, with one sentence to show, for a pattern that is too long or holds other characters
    than letters, digits and `. _ : / - *`.
    """
    tidy = (_STARS.sub("*", pattern.strip().lower()) for pattern in patterns)
    return tuple(dict.fromkeys(_validate_pattern(pattern) for pattern in tidy if pattern))


def matches_any(patterns: tuple[str, ...], model_id: str) -> bool:
    """Tell whether one of the patterns matches the whole id, in any case; no patterns allow nothing.

    `*` stands for any run of characters but white space, which is in no id of OpenAI. A fine-tune's id
    begins with `ft:`, so it needs a pattern that does.
    """
    return _compiled(patterns).fullmatch(model_id) is not None


def _validate_pattern(pattern: str) -> str:
    if len(pattern) > _MAX_PATTERN_LENGTH:
        raise ValueError(f"A model pattern can be at most {_MAX_PATTERN_LENGTH} characters long.")
    if not _WELL_FORMED.fullmatch(pattern):
        raise ValueError(f"The model pattern {pattern!r} holds more than letters, digits and . _ : / - *")
    return pattern


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Without ASCII, ignoring case would let a few foreign letters pass for k and s.
    return re.compile("|".join(map(_regex, patterns)) or r"(?!)", re.IGNORECASE | re.ASCII)


def _regex(pattern: str) -> str:
    first, *rest = map(re.escape, pattern.split("*"))
    if not rest:
        return first
    # Atomic, so that a pattern with many stars cannot make the search go back and forth for ever.
    middle = "".join(rf"(?>\S*?{part})" for part in rest[:-1])
    return rf"{first}{middle}\S*{rest[-1]}"


def canonical_id(model: str) -> str:
    """The id as OpenAI writes it: small letters, except in a fine-tune, whose suffix is its owner's own."""
    model = model.strip()
    return model if model.lower().startswith("ft:") else model.lower()


def access_error(
    model: str,
    operator: Sequence[str],
    administrators: Sequence[str] | None,
    organization: Sequence[str] | None,
) -> GlificGptError | None:
    """Why this organization may not use this model; None when it may.

    Each list can only narrow the one before: None is all of it, an empty list nothing. The operator's comes from the
    environment, the administrators' from the database.
    """
    kind = classify_model(model)
    if kind is ModelKind.COMPLETION:
        return ModelNotSupported(f"{model} only completes text and cannot answer questions: choose another model.")
    if kind is not ModelKind.TEXT:
        return ModelNotText(
            f"{model} is a model for {kind}, and only text models can be used here: choose a text model."
        )
    if not (matches_any(tuple(operator), model) and _is_allowed(administrators, model)):
        return ModelNotAllowed(f"The administrators of this server do not allow {model}: choose another model.")
    if not _is_allowed(organization, model):
        return ModelNotAllowed(f"This organization's list of models does not allow {model}: choose another, or add it.")
    return None


def _is_allowed(patterns: Sequence[str] | None, model: str) -> bool:
    return patterns is None or matches_any(tuple(patterns), model)
