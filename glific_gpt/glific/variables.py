"""Neutralise Glific's variables and code in a model's answers."""

import re
from typing import TypeAlias

from glific_gpt.flows.variables import ROOT_PATTERN

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

# It has no width in WhatsApp and is outside Glific's [\w\-]. Unlike U+200D and U+200C it does not affect letters.
ZERO_WIDTH_SPACE = "\u200b"

# Both characters are also neutralised at the end of a text, because a flow can join two values.
# `%>` has no effect without `<%`, so it stays.
_ACTIVE = re.compile(rf"<(?=%|\Z)|@(?={ROOT_PATTERN}|\Z)", re.IGNORECASE)


def neutralise(text: str) -> str:
    """Return the text so that Glific expands no variable in it and evaluates no EEx. It looks the same.

    Glific expands `@root.name` even after a letter, and evaluates `<%` when a flow stores the text or splits on it.
    An answer that a flow itself puts inside `<% %>` cannot be protected. NUL is removed, because Glific stores
    answers in PostgreSQL, which cannot hold it.
    """
    return _ACTIVE.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, text.replace("\0", ""))


def neutralise_json(value: JSON) -> JSON:
    """Return a copy of a decoded JSON value with all strings and keys neutralised.

    It does not recurse, so it handles every depth that `json.loads` accepts.
    """
    copy = _neutralised_copy(value)
    pending = [copy]
    while pending:
        container = pending.pop()
        if isinstance(container, dict):
            container.update({key: _neutralised_copy(child) for key, child in container.items()})
            pending.extend(container.values())
        elif isinstance(container, list):
            container[:] = [_neutralised_copy(child) for child in container]
            pending.extend(container)
    return copy


def _neutralised_copy(value: JSON) -> JSON:
    """Return a shallow copy: its own text and keys are neutralised, its children are unchanged."""
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, dict):
        return {neutralise(key): child for key, child in value.items()}
    return list(value) if isinstance(value, list) else value
