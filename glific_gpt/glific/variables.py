"""Neutralise in a model's answers what Glific would take for variables and code."""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from glific_gpt.flows.suspicious_code import SUSPICIOUS_CODE, find_suspicious_code
from glific_gpt.flows.variables import ROOT_PATTERN

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

# It has no width in WhatsApp and is outside Glific's [\w\-]. Unlike U+200D and U+200C it does not affect letters.
ZERO_WIDTH_SPACE = "\u200b"

# Both characters are also neutralised at the end of a text, because a flow can join two values.
# `%>` has no effect without `<%`, so it stays.
_ACTIVE = re.compile(rf"<(?=%|\Z)|@(?={ROOT_PATTERN}|\Z)", re.IGNORECASE)

_SUSPICIOUS = re.compile(
    rf"({'|'.join(re.escape(code[:-1]) + f'(?={re.escape(code[-1])})' for code in SUSPICIOUS_CODE)})(.)"
)

_ADDRESS = re.compile(r"(https?://[^\s/?#<>]*)([^\s<>]*)", re.IGNORECASE)
_ACTIVE_IN_ADDRESS = re.compile(rf"(@)(?={ROOT_PATTERN})", re.IGNORECASE)


def neutralise(text: str) -> str:
    """Return the text so that Glific expands no variable in it, evaluates no EEx, and takes nothing in it for code.

    Glific expands `@root.name` even after a letter, and evaluates `<%` when a flow stores the text or splits on it. It
    then also replaces texts with `System.` or `apply(` by a warning, in the middle of a sentence too. The text looks
    the same, and links in it still work: in an address, a percent code replaces the character.

    An answer that a flow itself puts inside `<% %>` cannot be protected. NUL is removed, because Glific stores
    answers in PostgreSQL, which cannot hold it.
    """
    text = text.replace("\0", "")
    if "://" in text:
        text = _ADDRESS.sub(_neutralise_address, text)
    if find_suspicious_code(text):
        text = _SUSPICIOUS.sub(rf"\1{ZERO_WIDTH_SPACE}\2", text)
    return _ACTIVE.sub(lambda match: match[0] + ZERO_WIDTH_SPACE, text)


def _neutralise_address(match: re.Match[str]) -> str:
    host, path = match.groups()
    if _SUSPICIOUS.search(host):
        host = host.lower()
    path = _SUSPICIOUS.sub(_percent_code, path)
    return host + _ACTIVE_IN_ADDRESS.sub("%40", path)


def _percent_code(match: re.Match[str]) -> str:
    return f"{match[1]}%{ord(match[2]):X}"


def map_json(value: JSON, change: Callable[[str | None], str]) -> JSON:
    """Return a copy of a decoded JSON value with each text and null changed, and all keys neutralised.

    It does not recurse, so it handles every depth that `json.loads` accepts.
    """
    copy = _changed_copy(value, change)
    pending = [copy]
    while pending:
        container = pending.pop()
        if isinstance(container, dict):
            container.update({key: _changed_copy(child, change) for key, child in container.items()})
            pending.extend(container.values())
        elif isinstance(container, list):
            container[:] = [_changed_copy(child, change) for child in container]
            pending.extend(container)
    return copy


def find_texts(value: JSON) -> Iterator[str]:
    """Yield all texts of a decoded JSON value except keys, in any order. It does not recurse either."""
    pending = [value]
    while pending:
        child = pending.pop()
        if isinstance(child, str):
            yield child
        elif isinstance(child, dict):
            pending.extend(child.values())
        elif isinstance(child, list):
            pending.extend(child)


def _changed_copy(value: JSON, change: Callable[[str | None], str]) -> JSON:
    """Return a shallow copy: its own text and keys are changed, its children are unchanged."""
    if value is None or isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {neutralise(key): child for key, child in value.items()}
    return list(value) if isinstance(value, list) else value
