"""Parse the Elixir that flows have in texts: arithmetic, comparisons, boolean operators, text and `if`."""

import math
import re
from typing import NamedTuple

from glific_gpt.flows.simulator.elixir_tree import (
    MAX_CODE_CHARACTERS,
    Expression,
    InvalidCode,
    Literal,
    Module,
    Operation,
    UnsupportedCode,
)

MAX_DEPTH = 40
"""How deeply expressions can be nested: each level is several calls deep."""

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
