"""Texts of a flow: replace variables, evaluate code, and convert values to text as Elixir does.

Sources: glific/glific, MessageVarParser for variables; Elixir's EEx for code between `<%` and `%>`.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from glific_gpt.flows.simulator.event_log import FlowStuck
from glific_gpt.flows.structure import as_object


def to_string(value: Any) -> str:
    """Return a string, number or boolean as Elixir writes it; "" for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def to_int(value: Any) -> int | None:
    """Return an integer of at most nine digits, given as a number or as text; None for anything else."""
    match = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\s*", to_string(value))
    return int(match[1]) if match else None


MAX_TEXT_CHARACTERS = 128 * 1024
"""Far more than a message holds. A flow that repeatedly inserts a text into itself would use all memory."""

# The longest first. ASCII only, and the last part may be empty: so Glific drops the full stop after a variable.
_VARIABLE_PATTERNS = tuple(
    re.compile(r"@[\w\-]+" + r"\.[\w\-]+" * (parts - 2) + r"\.[\w\-]*", re.ASCII) for parts in (5, 4, 3, 2)
)

Bindings = Mapping[str, Any]
"""Values by the first word of a variable, without `@`: results, contact, flow."""


def fill_variables(template: str, bindings: Bindings) -> str:
    """Replace each variable that has a value; leave the others unchanged.

    Raises FlowStuck if the text grows beyond MAX_TEXT_CHARACTERS.
    """
    for pattern in _VARIABLE_PATTERNS:
        template = _fill_pattern(pattern, template, bindings)
    return _fill_inputs(template, as_object(bindings.get("results")))


def fill_variables_in_json(value: Any, bindings: Bindings) -> Any:
    """Return a copy of a JSON value with the variables in all its keys and strings replaced."""
    if isinstance(value, str):
        return fill_variables(value, bindings)
    if isinstance(value, dict):
        return {fill_variables(key, bindings): fill_variables_in_json(child, bindings) for key, child in value.items()}
    return [fill_variables_in_json(child, bindings) for child in value] if isinstance(value, list) else value


def _fill_pattern(pattern: re.Pattern[str], template: str, bindings: Bindings) -> str:
    size = len(template)

    def replace(match: re.Match[str]) -> str:
        nonlocal size
        value = _look_up(match[0], bindings)
        size += len(value) - len(match[0])
        _check_size(size)
        return value

    return pattern.sub(replace, template)


def _look_up(variable: str, bindings: Bindings) -> str:
    """Return the value of a variable as text; the variable itself if it has none."""
    value: Any = bindings
    for part in variable[1:].removesuffix(".").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    while isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "".join(value)
    return to_string(value) or variable


def _fill_inputs(template: str, results: dict[str, Any]) -> str:
    """Replace `@results.x` by the reply that a router stored under x.

    Glific does so by plain search, so `@results.q_10` becomes the reply of `q` followed by `_10`.
    """
    if "@results." not in template:
        return template
    for name, result in sorted(results.items()):
        variable, reply = f"@results.{name.lower()}", as_object(result).get("input")
        if isinstance(result, dict) and "input" in result and not isinstance(reply, dict | list):
            _check_size(len(template) + template.count(variable) * len(to_string(reply)))
            template = template.replace(variable, to_string(reply))
    return template


def _check_size(size: int) -> None:
    if size > MAX_TEXT_CHARACTERS:
        raise FlowStuck("A text of this flow grows beyond 131,072 characters. The simulation stops here.")


INVALID_CODE = "Invalid Code"
"""Glific replaces the whole text by this if any of its code fails."""

_TAG = re.compile(r"<%([=#%]?)(.*?)%>", re.DOTALL)
_SUSPICIOUS = ("Repo.", "IO.", "File.", "Code.")
# The characters and words that Elixir and Python share. Python code made of them has no side effects.
# The quantifiers are possessive, because backtracking would take exponential time.
_SHARED_SYNTAX = re.compile(r"(?:[0-9]++|div|rem|[-+*(),<>=! ])*+")
MAX_CODE_CHARACTERS = 200
"""Limits how deeply code can be nested."""
MAX_NUMBER = 10**1000

_ARITHMETIC: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_COMPARISONS: dict[type, Callable[[int, int], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _UnsupportedCode(Exception):
    """The text is not code, or code that is not simulated."""


@dataclass(frozen=True)
class Evaluation:
    """A text after its code was evaluated. `is_valid` is False if the code could not be evaluated."""

    text: str
    is_valid: bool = True


def evaluate_code(content: str) -> Evaluation:
    """Return the text, stripped, with its code replaced by the results.

    Only integers, arithmetic and comparisons are supported. The code is parsed, never run as Python.
    """
    if "<%" not in content:
        return Evaluation(content.strip())
    if any(name in content for name in _SUSPICIOUS):
        return Evaluation(f"Suspicious Code. Please change your code. {content}", is_valid=False)
    # After the last end there is no code. From each beginning there, the search would read to the end of the text.
    end = content.rfind("%>") + 2 if "%>" in content else 0
    code, rest = content[:end], content[end:]
    try:
        if "<%" in _TAG.sub("", code) + rest:
            return Evaluation(INVALID_CODE, is_valid=False)
        return Evaluation((_TAG.sub(_evaluate_tag, code) + rest).strip())
    except _UnsupportedCode:
        return Evaluation(INVALID_CODE, is_valid=False)


def _evaluate_tag(tag: re.Match[str]) -> str:
    if tag[1] == "#":
        return ""
    if tag[1] == "%":
        return f"<%{tag[2]}%>"
    value = _evaluate(_parse_code(tag[2].strip()))
    return to_string(value) if tag[1] == "=" else ""


def _parse_code(code: str) -> ast.expr:
    if len(code) > MAX_CODE_CHARACTERS or not _SHARED_SYNTAX.fullmatch(code):
        raise _UnsupportedCode
    # Elixir reads 007 as 7, and has === and !==, which Python does not.
    python_code = re.sub(r"([=!])==", r"\1=", re.sub(r"(?<![0-9])0+(?=[0-9])", "", code))
    try:
        return ast.parse(python_code, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _UnsupportedCode from None


def _evaluate(code: ast.expr) -> int | bool:
    match code:
        case ast.Constant(value=int(number)):
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            return -_evaluate_number(operand) if isinstance(sign, ast.USub) else _evaluate_number(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _limit(_ARITHMETIC[type(op)](_evaluate_number(left), _evaluate_number(right)))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return _COMPARISONS[type(op)](_evaluate_number(left), _evaluate_number(right))
        case ast.Call(func=ast.Name(id=name), args=[left, right], keywords=[]):
            return _divide(name, _evaluate_number(left), _evaluate_number(right))
    raise _UnsupportedCode


def _evaluate_number(code: ast.expr) -> int:
    value = _evaluate(code)
    if isinstance(value, bool):
        raise _UnsupportedCode
    return value


def _divide(name: str, left: int, right: int) -> int:
    """Divide as Elixir does: div truncates towards zero, and rem has the sign of the dividend."""
    if not right or name not in ("div", "rem"):
        raise _UnsupportedCode
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if name == "div" else left - right * quotient


def _limit(number: int) -> int:
    if abs(number) > MAX_NUMBER:
        raise _UnsupportedCode
    return number
