"""Evaluate the Elixir that flows have in texts.

The results were compared with Elixir 1.14 on Erlang/OTP 25. The code is parsed here, and never run as Python.
"""

from glific_gpt.flows.simulator.elixir_functions import FUNCTIONS, is_truthy
from glific_gpt.flows.simulator.elixir_tree import (
    Expression,
    InvalidCode,
    Literal,
    Module,
    Operation,
    UnsupportedCode,
    Value,
)

MAX_NUMBER = 10**1000


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
    function = FUNCTIONS.get((expression.name, len(expression.operands)))
    if function is None:
        raise UnsupportedCode
    return _limit(function(*map(evaluate, expression.operands)))


def _evaluate_boolean(name: str, left: Value, right: Expression) -> Value:
    if name in ("and", "or") and not isinstance(left, bool):
        raise InvalidCode
    is_decided = is_truthy(left) is (name in ("or", "||"))
    return left if is_decided else evaluate(right)


def _limit(value: Value) -> Value:
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        raise UnsupportedCode
    return value
