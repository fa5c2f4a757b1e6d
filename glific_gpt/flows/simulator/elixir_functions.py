"""Operators and functions of Elixir, with its order of values, its rounding and its way to write numbers."""

import math
import operator
from collections.abc import Callable
from typing import Any

from glific_gpt.flows.simulator.elixir_tree import MAX_CODE_CHARACTERS, InvalidCode, UnsupportedCode, Value


def is_truthy(value: Value) -> bool:
    return value is not None and value is not False


def value_to_text(value: Value) -> str:
    """Return the value as `<%= %>` inserts it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_to_text(value)
    return "" if value is None else str(value)


def float_to_text(number: float) -> str:
    """Return the number as Elixir writes it: 1000.0 is `1.0e3` (Erlang/OTP: io_lib_format)."""
    sign = "-" if math.copysign(1, number) < 0 else ""
    digits, exponent = _shortest_digits(abs(number))
    point = exponent + 1  # the position of the decimal point in the digits
    if 0 < point < len(digits):
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if point == 0:
        return f"{sign}0.{digits}"
    scientific = f"{sign}{digits[0]}.{digits[1:] or '0'}e{exponent}"
    cost = len(str(exponent)) + (3 if len(digits) == 1 else 2)
    if point < 0:
        return f"{sign}0.{'0' * -point}{digits}" if 2 - point <= cost else scientific
    is_exact = point - len(digits) + 2 <= cost and abs(number) < 2**53
    return f"{sign}{digits}{'0' * (point - len(digits))}.0" if is_exact else scientific


def _shortest_digits(number: float) -> tuple[str, int]:
    """Return the digits that identify the number, and its exponent: 1200.0 is ("12", 3)."""
    if number == 0:
        return "0", 0
    mantissa, exponent = f"{number:.17e}".split("e")
    for precision in range(17):
        shorter = f"{number:.{precision}e}"
        if float(shorter) == number:
            mantissa, exponent = shorter.split("e")
            break
    return mantissa.replace(".", "").rstrip("0") or "0", int(exponent)


def _number(value: Value) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCode
    return value


def _integer(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidCode
    return value


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Value]:
    def calculate(left: Value, right: Value) -> Value:
        try:
            result = function(_number(left), _number(right))
        except (ZeroDivisionError, OverflowError):
            raise InvalidCode from None
        if isinstance(result, float) and not math.isfinite(result):
            raise InvalidCode
        return result  # type: ignore[no-any-return] # an operator of Python's

    return calculate


def _divide_integers(left: Value, right: Value) -> int:
    """Truncate towards zero, as Elixir's `div` does."""
    dividend, divisor = _integer(left), _integer(right)
    if not divisor:
        raise InvalidCode
    return abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)


def _remainder(left: Value, right: Value) -> int:
    """Return the remainder with the sign of the dividend, as Elixir's `rem` does."""
    return _integer(left) - _integer(right) * _divide_integers(left, right)


def _round(value: Value) -> int:
    """Round half away from zero."""
    number = _number(value)
    return number if isinstance(number, int) else math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)


def _order(value: Value) -> tuple[int, Any]:
    """Return a key for Elixir's order of all values: numbers, then atoms, then texts."""
    if isinstance(value, bool) or value is None:
        return 1, "nil" if value is None else value_to_text(value)
    return (0, value) if isinstance(value, int | float) else (2, value.encode("utf-8", "replace"))


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], bool]:
    return lambda left, right: compare(_order(left), _order(right))


def _is_identical(left: Value, right: Value) -> bool:
    return type(left) is type(right) and left == right


def _join(left: Value, right: Value) -> str:
    if not isinstance(left, str) or not isinstance(right, str):
        raise InvalidCode
    if len(left) + len(right) > MAX_CODE_CHARACTERS:
        raise UnsupportedCode
    return left + right


def _not(value: Value) -> bool:
    if not isinstance(value, bool):
        raise InvalidCode
    return not value


def _no_list(_left: Value, _right: Value) -> Value:
    raise InvalidCode


FUNCTIONS: dict[tuple[str, int], Callable[..., Value]] = {
    ("+", 2): _arithmetic(operator.add),
    ("-", 2): _arithmetic(operator.sub),
    ("*", 2): _arithmetic(operator.mul),
    ("/", 2): _arithmetic(operator.truediv),
    ("+", 1): _number,
    ("-", 1): lambda value: -_number(value),
    ("div", 2): _divide_integers,
    ("rem", 2): _remainder,
    ("abs", 1): lambda value: abs(_number(value)),
    ("round", 1): _round,
    ("trunc", 1): lambda value: int(_number(value)),
    ("max", 2): lambda left, right: left if _order(left) >= _order(right) else right,
    ("min", 2): lambda left, right: left if _order(left) <= _order(right) else right,
    ("==", 2): _comparison(operator.eq),
    ("!=", 2): _comparison(operator.ne),
    ("===", 2): _is_identical,
    ("!==", 2): lambda left, right: not _is_identical(left, right),
    ("<", 2): _comparison(operator.lt),
    ("<=", 2): _comparison(operator.le),
    (">", 2): _comparison(operator.gt),
    (">=", 2): _comparison(operator.ge),
    ("!", 1): lambda value: not is_truthy(value),
    ("not", 1): _not,
    ("<>", 2): _join,
    ("++", 2): _no_list,
    ("--", 2): _no_list,
    ("to_string", 1): value_to_text,
}
"""Operators and functions by name and number of operands."""
