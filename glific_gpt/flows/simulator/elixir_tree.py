"""The tree of parsed Elixir code, its values, and the errors of code that is not evaluated."""

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = int | float | str | bool | None
"""A value of Elixir; None is nil."""

MAX_CODE_CHARACTERS = 2000


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
