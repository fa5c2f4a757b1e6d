"""Glific's variables: `@results.x`, `@contact.x`, `@flow.x` replaced in a text (glific/glific: MessageVarParser)."""

import re
from collections.abc import Mapping
from typing import Any

from glific_gpt.flows.simulator.eex import to_string
from glific_gpt.flows.simulator.event_log import Hung
from glific_gpt.flows.structure import thing

LONGEST = 1024 * 1024
"""Characters; a flow that puts a text into itself again and again would grow without end."""

# The longest first, ASCII only, and the last part may be empty: that is how the dot of a sentence gets lost.
_PASSES = tuple(re.compile(r"@[\w\-]+" + r"\.[\w\-]+" * (parts - 2) + r"\.[\w\-]*", re.ASCII) for parts in (5, 4, 3, 2))

Bindings = Mapping[str, Any]
"""By what follows the `@`: results, contact, flow."""


def fill(template: str, bindings: Bindings) -> str:
    """The text with each variable that has a value replaced; the others stay as they are written.

    Raises Hung when it grows past LONGEST.
    """
    for each in _PASSES:
        template = _filled(each, template, bindings)
    return _inputs(template, thing(bindings.get("results")))


def fill_all(value: Any, bindings: Bindings) -> Any:
    """A copy of a JSON value with the variables in all its keys and texts replaced."""
    if isinstance(value, str):
        return fill(value, bindings)
    if isinstance(value, dict):
        return {fill(key, bindings): fill_all(child, bindings) for key, child in value.items()}
    return [fill_all(child, bindings) for child in value] if isinstance(value, list) else value


def _filled(pattern: re.Pattern[str], template: str, bindings: Bindings) -> str:
    size = len(template)

    def value(found: re.Match[str]) -> str:
        nonlocal size
        known = _value(found[0], bindings)
        size += len(known)
        _check(size)
        return known

    return pattern.sub(value, template)


def _value(variable: str, bindings: Bindings) -> str:
    known: Any = bindings
    for part in variable[1:].removesuffix(".").split("."):
        known = known.get(part) if isinstance(known, Mapping) else None
    while isinstance(known, dict):
        known = known.get("value")
    if isinstance(known, list) and all(isinstance(each, str) for each in known):
        known = "".join(known)
    return to_string(known) or variable


def _inputs(template: str, results: dict[str, Any]) -> str:
    """`@results.x` for x that a router kept, by plain search: so `@results.q_10` becomes that of `q`, and `_10`."""
    for name, result in sorted(results.items()):
        variable, kept = f"@results.{name.lower()}", thing(result).get("input")
        if isinstance(result, dict) and "input" in result and not isinstance(kept, dict | list):
            _check(len(template) + template.count(variable) * len(to_string(kept)))
            template = template.replace(variable, to_string(kept))
    return template


def _check(size: int) -> None:
    if size > LONGEST:
        raise Hung("A text of this flow grows past a million characters: nobody would ever read it.")
