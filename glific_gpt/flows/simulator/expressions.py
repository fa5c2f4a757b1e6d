"""Texts of a flow: replace variables, and convert values to text as Elixir does (glific/glific: MessageVarParser)."""

import re
from collections.abc import Mapping
from typing import Any

from glific_gpt.flows.simulator.elixir_functions import value_to_text
from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.structure import as_object
from glific_gpt.flows.variables import WORD_BYTES


def to_string(value: Any) -> str:
    """Return a string, number or boolean as Elixir writes it; "" for anything else."""
    return value_to_text(value) if isinstance(value, str | int | float) else ""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def to_int(value: Any) -> int | None:
    """Return an integer of at most nine digits, given as a number or as text; None for anything else."""
    match = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\s*", to_string(value))
    return int(match[1]) if match else None


MAX_TEXT_CHARACTERS = 128 * 1024
"""Far more than a message holds. A flow that repeatedly inserts a text into itself would use all memory."""

# The longest first. The last part may be empty: so Glific drops the full stop after a variable. They match bytes, as in
# Glific, so a variable and the first byte of a letter outside ASCII are one name.
_NAME = WORD_BYTES.pattern
_VARIABLE_PATTERNS = tuple(
    re.compile(b"@" + _NAME + b"+" + (rb"\." + _NAME + b"+") * (parts - 2) + rb"\." + _NAME + b"*")
    for parts in (5, 4, 3, 2)
)

Bindings = Mapping[str, Any]
"""Values by the first word of a variable, without `@`: results, contact, flow."""


def fill_variables(template: str, bindings: Bindings) -> str:
    """Replace each variable that has a value; leave the others unchanged, except a full stop behind them.

    Raises FlowStuck if the text grows beyond MAX_TEXT_CHARACTERS.
    """
    if "@" not in template:
        return template
    encoded = template.encode("utf-8", "surrogatepass")
    for pattern in _VARIABLE_PATTERNS:
        encoded = _fill_pattern(pattern, encoded, bindings)
    return _fill_inputs(encoded.decode("utf-8", "surrogatepass"), as_object(bindings.get("results")))


def fill_variables_in_json(value: Any, bindings: Bindings) -> Any:
    """Return a copy of a JSON value with the variables in all its keys and strings replaced."""
    if isinstance(value, str):
        return fill_variables(value, bindings)
    if isinstance(value, dict):
        return {fill_variables(key, bindings): fill_variables_in_json(child, bindings) for key, child in value.items()}
    return [fill_variables_in_json(child, bindings) for child in value] if isinstance(value, list) else value


def _fill_pattern(pattern: re.Pattern[bytes], template: bytes, bindings: Bindings) -> bytes:
    size = len(template)

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal size
        variable = match[0].removesuffix(b".")
        value = _look_up(variable, bindings).encode("utf-8", "surrogatepass") or variable
        size += len(value) - len(match[0])
        _check_size(size)
        return value

    return pattern.sub(replace, template)


def _look_up(variable: bytes, bindings: Bindings) -> str:
    """Return the value of a variable as text; "" if it has none."""
    if not variable.isascii():
        return ""  # it ends in the middle of a letter
    value: Any = bindings
    for part in variable[1:].decode().split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    while isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "".join(value)
    return to_string(value)


def _fill_inputs(template: str, results: dict[str, Any]) -> str:
    """Replace `@results.x` by the reply that a router stored under x, also in the results of other flows.

    Glific does so by plain search, so `@results.q_10` becomes the reply of `q` followed by `_10`.
    """
    for prefix, own in (("", results), ("parent.", results.get("parent")), ("child.", results.get("child"))):
        template = _fill_inputs_of(template, f"@results.{prefix}", as_object(own))
    return template


def _fill_inputs_of(template: str, prefix: str, results: dict[str, Any]) -> str:
    if prefix not in template:
        return template
    # Glific begins with the longest name, so that `q_10` is not read as `q` if both exist.
    for name, result in sorted(results.items(), key=lambda item: -len(item[0].encode("utf-8", "replace"))):
        variable, reply = f"{prefix}{name.lower()}", as_object(result).get("input")
        if isinstance(result, dict) and "input" in result and not isinstance(reply, dict | list):
            _check_size(len(template) + template.count(variable) * len(to_string(reply)))
            template = template.replace(variable, to_string(reply))
    return template


def _check_size(size: int) -> None:
    if size > MAX_TEXT_CHARACTERS:
        raise FlowStuck("A text of this flow grows beyond 131,072 characters. The simulation stops here.")
