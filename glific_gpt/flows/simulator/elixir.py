"""Evaluate the Elixir that flows have in texts: arithmetic, comparisons, boolean operators, text and `if`.

The results were compared with Elixir 1.14 on Erlang/OTP 25. The code is parsed here, and never run as Python.
"""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Value: TypeAlias = int | float | str | bool | None
"""A value of Elixir; None is nil."""

MAX_CODE_CHARACTERS = 2000
MAX_DEPTH = 40
"""How deeply expressions can be nested: each level is several calls deep."""
MAX_NUMBER = 10**1000


class InvalidCode(Exception):
    """The code fails in Glific."""


class UnsupportedCode(Exception):
    """Glific may be able to evaluate the code, but it is not simulated."""


@dataclass(frozen=True)
class Literal:
    """A number, a text, true, false or nil."""

    value: Value


@dataclass(frozen=True)
class Module:
    """The name of a module, which is a value of its own."""

    name: str


@dataclass(frozen=True)
class Operation:
    """An operator or a function, with its operands. `if` has the condition and both branches."""

    name: str
    operands: tuple["Expression", ...]


Expression: TypeAlias = Literal | Module | Operation

_NIL = Literal(None)
_WORDS = {"true": True, "false": False, "nil": None}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*(?:[eE][+-]?[0-9]+)?)?)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<keyword>(?:do|else):(?=\s))
    |(?P<word>[^\W\d]\w*[?!]?(?!=(?!=)))
    |(?P<operator>===|!==|==(?!=)|!=|<=|>=|<>|&&(?!&)|\|\|(?!\|)|\+\+(?!\+)|--(?!-)
        |-(?!>)|\*(?!\*)|/(?!/)|<(?![-<~|])|>(?!>)|\.(?!\.)|[+!(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
# Valid beginnings of tokens that are not simulated: lists, maps, atoms, character codes, sigils, pipes, assignments.
_UNSUPPORTED_START = re.compile(r"\s*(?:[\[{%&~|^;=:?#<>*+/-]|\.\.)")

_UNARY = ("-", "+", "!", "not")
_BINARY = {
    **dict.fromkeys(("||", "or"), 1),
    **dict.fromkeys(("&&", "and"), 2),
    **dict.fromkeys(("==", "!=", "===", "!=="), 3),
    **dict.fromkeys(("<", ">", "<=", ">="), 4),
    **dict.fromkeys(("<>", "++", "--"), 5),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/"), 7),
}
"""Binary operators with their precedence."""
_RIGHT_ASSOCIATIVE = 5
_BLOCK_WORDS = ("do", "else", "end")


class _Token(NamedTuple):
    kind: str
    text: str


_END = _Token("end of code", "")


def parse_code(code: str) -> Expression:
    """Parse one expression. Raises InvalidCode and UnsupportedCode."""
    tokens = _tokens(code)
    if not tokens:
        return _NIL
    parser = _Parser(tokens)
    expression = parser.expression(0)
    parser.require(_END.kind)
    return expression


def parse_block_start(code: str) -> Operation | None:
    """Parse `if ... do` or `unless ... do` without their branches; None for other code. Raises as `parse_code`."""
    match = re.fullmatch(r"\s*(if|unless)\b(.*)\bdo\s*", code, re.DOTALL)
    if match is None:
        return None
    if not match[2].strip():
        raise InvalidCode
    return Operation(match[1], (parse_code(match[2]),))


def evaluate(expression: Expression) -> Value:
    """Raises InvalidCode and UnsupportedCode."""
    match expression:
        case Literal(value):
            return value
        case Module():
            raise UnsupportedCode
        case Operation("if" | "unless" as name, (condition, yes, no)):
            return evaluate(yes if is_truthy(evaluate(condition)) is (name == "if") else no)
        case Operation("&&" | "||" | "and" | "or" as name, (left, right)):
            return _evaluate_boolean(name, evaluate(left), right)
    function = _FUNCTIONS.get((expression.name, len(expression.operands)))
    if function is None:
        raise UnsupportedCode
    return _limit(function(*map(evaluate, expression.operands)))


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


def _tokens(code: str) -> list[_Token]:
    if len(code) > MAX_CODE_CHARACTERS:
        raise UnsupportedCode
    tokens, at, code = [], 0, code.rstrip()
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            raise UnsupportedCode if _UNSUPPORTED_START.match(code, at) else InvalidCode
        tokens.append(_Token(str(match.lastgroup), match[match.lastgroup or 0]))
        at = match.end()
    return tokens


class _Parser:
    """A parser that climbs the precedences of operators."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def expression(self, precedence: int) -> Expression:
        """Parse an expression with operators of this precedence at least."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnsupportedCode
        left = self._operand()
        while (binds := _BINARY.get(self._next.text, -1)) >= max(precedence, 1) and self._next.kind != "text":
            name = self._take().text
            right = self.expression(binds if binds == _RIGHT_ASSOCIATIVE else binds + 1)
            left = _operation(name, left, right)
        self._depth -= 1
        return left

    def require(self, kind_or_text: str) -> _Token:
        if kind_or_text not in (self._next.kind, self._next.text):
            raise InvalidCode
        return self._take()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _take(self) -> _Token:
        token, self._at = self._next, self._at + 1
        return token

    def _operand(self) -> Expression:
        token = self._take()
        if token.kind == "number":
            return Literal(_parse_number(token.text))
        if token.kind == "text":
            return Literal(_parse_text(token.text))
        if token.text in _UNARY:
            return Operation(token.text, (self.expression(max(_BINARY.values()) + 1),))
        if token.text == "(":
            inside = self.expression(0)
            self.require(")")
            return inside
        if token.kind != "word" or token.text in _BLOCK_WORDS or token.text in _BINARY:
            raise InvalidCode
        return self._word(token.text)

    def _word(self, word: str) -> Expression:
        if word in ("if", "unless"):
            return self._if(word)
        if word in _WORDS:
            return Literal(_WORDS[word])
        if self._next.text == ".":
            raise UnsupportedCode  # a call of another module
        if self._next.text == "(":
            self._take()
            return Operation(word, self._arguments())
        if not word[0].isupper():
            raise InvalidCode  # a variable, which no flow can assign
        return Module(word)

    def _arguments(self) -> tuple[Expression, ...]:
        """Parse the arguments of a call, behind its opening bracket."""
        arguments: list[Expression] = []
        while self._next.text != ")":
            if arguments:
                self.require(",")
            arguments.append(self.expression(0))
        self._take()
        return tuple(arguments)

    def _if(self, name: str) -> Expression:
        """Parse `if c, do: x, else: y`, the same in brackets, and `if c do x else y end`."""
        start = self._at
        if self._next.text == "(":
            self._take()
            condition = self.expression(0)
            if self._next.text == ",":
                return self._close(self._keywords(name, condition))
            self._at = start
        condition = self.expression(0)
        if self._next.text == ",":
            return self._keywords(name, condition)
        self.require("do")
        yes = self._branch("else", "end")
        no = self._branch("end") if self._tokens[self._at - 1].text == "else" else _NIL
        return Operation(name, (condition, yes, no))

    def _keywords(self, name: str, condition: Expression) -> Operation:
        branches: dict[str, Expression] = {}
        while self._next.text == ",":
            self._take()
            keyword = self.require("keyword").text
            branches[keyword] = self.expression(0)
        return Operation(name, (condition, branches.get("do:", _NIL), branches.get("else:", _NIL)))

    def _close(self, operation: Operation) -> Operation:
        self.require(")")
        return operation

    def _branch(self, *ends: str) -> Expression:
        """Parse a branch and the word behind it. An empty branch is nil."""
        branch = _NIL if self._next.text in ends else self.expression(0)
        if self._next.text not in ends:
            raise InvalidCode
        self._take()
        return branch


def _operation(name: str, left: Expression, right: Expression) -> Operation:
    if name == "<>" and any(isinstance(each, Literal) and not isinstance(each.value, str) for each in (left, right)):
        raise InvalidCode  # Elixir does not compile it
    return Operation(name, (left, right))


def _parse_number(text: str) -> int | float:
    digits = text.replace("_", "")
    if "." not in digits:
        return int(digits)
    if not math.isfinite(number := float(digits)):
        raise InvalidCode  # Elixir does not compile it: its floats are finite
    return number


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", '"': '"', "\\": "\\", "'": "'"}


def _parse_text(text: str) -> str:
    if "#{" in text:
        raise UnsupportedCode

    def unescape(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise UnsupportedCode
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", unescape, text[1:-1], flags=re.DOTALL)


def _evaluate_boolean(name: str, left: Value, right: Expression) -> Value:
    if name in ("and", "or") and not isinstance(left, bool):
        raise InvalidCode
    is_decided = is_truthy(left) is (name in ("or", "||"))
    return left if is_decided else evaluate(right)


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


_FUNCTIONS: dict[tuple[str, int], Callable[..., Value]] = {
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


def _limit(value: Value) -> Value:
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise UnsupportedCode
    return value
