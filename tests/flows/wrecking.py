"""Flows that are sound but for one thing."""

from collections.abc import Callable

from glific_gpt.flows.rules import broken
from tests.flows.exports import Json, node_of


def definition(whole: Json) -> Json:
    """Of the first flow."""
    found: Json = whole["flows"][0]["definition"]
    return found


def router(whole: Json, name: str) -> Json:
    found: Json = node_of(whole, name)["router"]
    return found


def only(whole: Json, wreck: Callable[[Json], object]) -> str:
    """The one sentence that is said about the wrecked file."""
    wreck(whole)
    (sentence,) = broken(whole)
    return sentence
