"""Glific's variables in text: those it left unresolved, and a model's made harmless."""

import re
from typing import TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

ROOTS = (
    "contact",
    "results",
    "global",
    "flow",
    "calendar",
    "group",
    "wa_group",
    "staff",
    "parent",
    "child",
    "input",
)
"""What a variable can begin with (glific/glific: MessageVarParser, Webhook, ContactField, ContactAction)."""

# Zero width in WhatsApp, outside Glific's [\w\-], and it joins no letters as U+200D and U+200C do.
ZERO_WIDTH_SPACE = "\u200b"

_ROOT = rf"(?:{'|'.join(ROOTS)})(?![A-Za-z0-9_\-])"
_VARIABLE = re.compile(rf"(?<!\w)@{_ROOT}(?:\.[A-Za-z0-9_\-]+){{1,4}}", re.IGNORECASE)
_WHOLE_ROOT = re.compile(rf"@{_ROOT}", re.IGNORECASE)

# At the end of a text both characters are broken too: a flow can put two values side by side.
# `%>` means nothing without a `<%`, so it stays.
_ACTIVE = re.compile(rf"<(?=%|\Z)|@(?={_ROOT}|\Z)", re.IGNORECASE)


def find_unresolved(text: str) -> list[str]:
    """The variables that Glific left as they were written, each once, in their order.

    Glific does so when nothing is stored under the name. A bare root counts only as the whole text, as
    Glific replaces it only there; an e-mail address (`asha@contact.org`) does not count.
    """
    if "@" not in text:  # as in most texts
        return []
    whole = text.strip()
    if _WHOLE_ROOT.fullmatch(whole):
        return [whole]
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def neutralise(text: str) -> str:
    """The text with nothing left that Glific expands or its EEx evaluates; it looks the same.

    Glific expands `@root.name` even behind a letter, and evaluates `<%` where a flow stores or splits on
    the text. A flow whose author writes an answer inside `<% %>` cannot be protected from here. NUL is
    taken out: Glific keeps answers in PostgreSQL, which cannot store it.
    """
    return _ACTIVE.sub(lambda found: found[0] + ZERO_WIDTH_SPACE, text.replace("\0", ""))


def neutralise_json(value: JSON) -> JSON:
    """A copy of a decoded JSON value with every string and key neutralised.

    Works without recursion, so whatever depth `json.loads` let through is safe here.
    """
    copy = _neutralised_copy(value)
    todo = [copy]
    while todo:
        container = todo.pop()
        if isinstance(container, dict):
            container.update({key: _neutralised_copy(child) for key, child in container.items()})
            todo.extend(container.values())
        elif isinstance(container, list):
            container[:] = [_neutralised_copy(child) for child in container]
            todo.extend(container)
    return copy


def _neutralised_copy(value: JSON) -> JSON:
    """The value, its own text and keys neutralised, its children as they are."""
    if isinstance(value, str):
        return neutralise(value)
    if isinstance(value, dict):
        return {neutralise(key): child for key, child in value.items()}
    return list(value) if isinstance(value, list) else value
