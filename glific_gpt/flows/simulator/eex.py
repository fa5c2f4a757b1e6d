"""Values as Elixir makes them of JSON of which nothing is known: its texts, its lists, its whole numbers."""

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def to_string(value: Any) -> str:
    """A text as it is, a number or truth value as Elixir writes it, nothing of anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def whole(value: Any) -> int | None:
    """A whole number of at most nine digits, or the text of one; None for anything else."""
    found = re.fullmatch(r"\s*([+-]?[0-9]{1,9})\s*", to_string(value))
    return int(found[1]) if found else None


INVALID = "Invalid Code"
"""What Glific puts in place of the whole text when any of its code fails."""

_TAG = re.compile(r"<%([=#%]?)(.*?)%>", re.DOTALL)
_SUSPICIOUS = ("Repo.", "IO.", "File.", "Code.")
# What both languages write alike; in this alphabet Python has nothing that does anything.
_SHARED = re.compile(r"(?:[0-9]+|div|rem|[-+*(),<>=! ])*")
LONGEST_CODE = 200
"""Characters, so that nothing nests deeply."""
LARGEST = 10**1000

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


class _Unknown(Exception):
    """Not code, or code that is not simulated."""


@dataclass(frozen=True)
class Evaluated:
    """A text after its code was evaluated, and whether that could be done."""

    text: str
    is_valid: bool = True


def evaluate(content: str) -> Evaluated:
    """The text, trimmed, with its code replaced by what it yields."""
    if "<%" not in content:
        return Evaluated(content.strip())
    if any(each in content for each in _SUSPICIOUS):
        return Evaluated(f"Suspicious Code. Please change your code. {content}", is_valid=False)
    try:
        if "<%" in _TAG.sub("", content):
            return Evaluated(INVALID, is_valid=False)
        return Evaluated(_TAG.sub(_yielded, content).strip())
    except _Unknown:
        return Evaluated(INVALID, is_valid=False)


def _yielded(tag: re.Match[str]) -> str:
    if tag[1] == "#":
        return ""
    if tag[1] == "%":
        return f"<%{tag[2]}%>"
    value = _value(_parsed(tag[2].strip()))
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return shown if tag[1] == "=" else ""


def _parsed(code: str) -> ast.expr:
    if len(code) > LONGEST_CODE or not _SHARED.fullmatch(code):
        raise _Unknown
    # Elixir takes 007 for 7, and compares strictly with ===.
    alike = re.sub(r"([=!])==", r"\1=", re.sub(r"(?<![0-9])0+(?=[0-9])", "", code))
    try:
        return ast.parse(alike, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _Unknown from None


def _value(code: ast.expr) -> int | bool:
    match code:
        case ast.Constant(value=int(number)):
            return number
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            return -_number(operand) if isinstance(sign, ast.USub) else _number(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _within(_ARITHMETIC[type(op)](_number(left), _number(right)))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            return _COMPARISONS[type(op)](_number(left), _number(right))
        case ast.Call(func=ast.Name(id=name), args=[left, right], keywords=[]):
            return _divided(name, _number(left), _number(right))
    raise _Unknown


def _number(code: ast.expr) -> int:
    value = _value(code)
    if isinstance(value, bool):
        raise _Unknown
    return value


def _divided(name: str, left: int, right: int) -> int:
    """Elixir's div cuts towards zero, and rem has the sign of what is divided."""
    if not right or name not in ("div", "rem"):
        raise _Unknown
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if name == "div" else left - right * quotient


def _within(number: int) -> int:
    if abs(number) > LARGEST:
        raise _Unknown
    return number
