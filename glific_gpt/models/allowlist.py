"""Allowlists: patterns of model ids such as gpt-4o*, and the check of a model against them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from glific_gpt import wildcards
from glific_gpt.errors import MSG_NEEDS_TOOLS, GlificGptError, ModelNotAllowed, ModelNotSupported, ModelNotText
from glific_gpt.models.kinds import ModelKind, classify_model
from glific_gpt.openai.hosts import serves_openai
from glific_gpt.settings import MAX_PATTERNS

_MAX_PATTERN_LENGTH = 200
_MAX_NAME_LENGTH = 2 * _MAX_PATTERN_LENGTH
"""Characters of a name that is read as it was meant. No model has a longer one."""
_WELL_FORMED = re.compile(r"[a-z0-9._:/*-]+")
_SPACE = re.compile(r"\s")
_STARS = re.compile(r"\*+")
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-"))
_QUOTES = "‘’‚‛“”„‟«»\u00a0\u202f\u2009 \t\r\n"
_CAPITALS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
"""Maps ASCII capitals only. `lower` would turn the Kelvin sign into k."""


def parse_patterns(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns trimmed, in lower case, without empty ones and duplicates, in their order.

    Raises ValueError, with a message to show, for too many patterns, and for a pattern that is too long, has too many
    stars, or has characters other than letters, digits and `. _ : / - *`.
    """
    normalized = (_STARS.sub("*", str(read_name(pattern)).strip().lower()) for pattern in patterns)
    parsed = tuple(dict.fromkeys(_validate_pattern(pattern) for pattern in normalized if pattern))
    if len(parsed) > MAX_PATTERNS:
        raise ValueError(f"A list can have at most {MAX_PATTERNS} model patterns. Use * to combine some of them.")
    return parsed


def matches_any(patterns: Iterable[str], model_id: str) -> bool:
    """Return True if a pattern matches the whole id, ignoring case. Without patterns, return False.

    `*` matches any characters except white space, which no OpenAI id contains. The id of a fine-tune starts with
    `ft:`, so it only matches a pattern that does so too, or that starts with `*`.
    """
    if _SPACE.search(model_id):
        return False
    name = model_id.translate(_CAPITALS)
    return any(wildcards.matches(pattern, name) for pattern in patterns)


def _validate_pattern(pattern: str) -> str:
    if len(pattern) > _MAX_PATTERN_LENGTH:
        raise ValueError(f"A model pattern is too long. Use at most {_MAX_PATTERN_LENGTH} characters.")
    if not _WELL_FORMED.fullmatch(pattern):
        raise ValueError(f"The model pattern {pattern!r} is not valid. Use only letters, digits and . _ : / - *")
    if wildcards.has_too_many_stars(pattern):
        raise ValueError(f"The model pattern {pattern!r} has too many stars. Use at most {wildcards.MAX_STARS}.")
    return pattern


def read_name(name: object) -> object:
    """Return the name of a model as it was meant. Values that are no text are returned unchanged.

    Word processors and phones replace hyphens by similar characters, and add quotes and invisible characters.
    """
    if not isinstance(name, str) or name.isascii() or len(name) > _MAX_NAME_LENGTH:
        return name
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return visible.translate(_HYPHENS).strip(_QUOTES)


def canonical_id(model: str, base_url: str | None = None) -> str:
    """Return the id as OpenAI writes it: in lower case, except for fine-tunes, which have a case-sensitive suffix.

    `base_url` is the address of the key. Servers that imitate the API distinguish capitals, as in Qwen/Qwen3-8B.
    """
    model = model.strip()
    if not serves_openai(base_url):
        return model
    return model if model.lower().startswith("ft:") else model.lower()


def access_error(
    model: str,
    operator: Sequence[str],
    administrators: Sequence[str] | None,
    organization: Sequence[str] | None,
) -> GlificGptError | None:
    """Return the error if the organization may not use the model, or None if it may.

    Each list can only narrow the one before it: None allows everything, an empty list nothing. The operator's list is
    from the environment, the administrators' list from the database.
    """
    kind = classify_model(model)
    if kind is ModelKind.COMPLETION:
        return ModelNotSupported(f"{model} only completes text and cannot answer questions. Choose another model.")
    if kind is ModelKind.TOOLS:
        return ModelNotSupported(MSG_NEEDS_TOOLS.format(model=model))
    if kind is not ModelKind.TEXT:
        return ModelNotText(f"{model} is a model for {kind}. Only text models can be used here. Choose a text model.")
    if not (matches_any(operator, model) and _is_allowed(administrators, model)):
        return ModelNotAllowed(f"The administrators of this server do not allow {model}. Choose another model.")
    if not _is_allowed(organization, model):
        return ModelNotAllowed(
            f"This organization's list of models does not allow {model}. Choose another model, or add it."
        )
    return None


def _is_allowed(patterns: Sequence[str] | None, model: str) -> bool:
    return patterns is None or matches_any(patterns, model)
