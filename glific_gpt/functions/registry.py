"""The registry of functions. Built-in functions and plugins are registered in the same way."""

from importlib.metadata import entry_points
from typing import Any

from glific_gpt.errors import GlificGptError, SettingsError, UnknownFunction
from glific_gpt.functions import filesearch_gpt, parse_via_chat_gpt, parse_via_gpt_vision
from glific_gpt.functions.body_validation import validate_body
from glific_gpt.functions.contract import Function

GROUP = "glific_gpt.functions"
"""Entry point group in which an installed package offers a Function."""

BUILT_IN = (parse_via_chat_gpt.function, parse_via_gpt_vision.function, filesearch_gpt.function)


class Registry:
    """Functions by name."""

    def __init__(self) -> None:
        self._functions: dict[str, Function[Any]] = {}

    def add(self, function: object, origin: str) -> None:
        """Register a function.

        Raises SettingsError if it is not a Function, if its name is taken, or if it does not accept its own example.
        """
        if not isinstance(function, Function):
            raise SettingsError(f"The plugin {origin} does not offer a Function. Uninstall or correct it.")
        if function.name in self._functions:
            raise SettingsError(
                f"The plugin {origin} offers a function {function.name}, which exists already. Uninstall or rename it."
            )
        if function.example:
            _check_example(function, origin)
        self._functions[function.name] = function

    def names(self) -> list[str]:
        """Return the names of all functions."""
        return list(self._functions)

    def all(self) -> list[Function[Any]]:
        """Return all functions, the built-in ones first."""
        return list(self._functions.values())

    def find_answer_key(self, name: str) -> str | None:
        """Return the answer key of a function; None if there is none, or no such function any more."""
        return self._functions[name].answer_key if name in self._functions else None

    def get(self, name: str) -> Function[Any]:
        """Return the function with this name. Raises UnknownFunction."""
        if name not in self._functions:
            raise UnknownFunction
        return self._functions[name]


def _check_example(function: Function[Any], origin: str) -> None:
    try:
        validate_body(function, dict(function.example))
    except GlificGptError as error:
        raise SettingsError(
            f"The plugin {origin} offers a function {function.name} that does not accept its own example ({error}). "
            "Uninstall or correct it."
        ) from None


def load() -> Registry:
    """Return a registry of the built-in functions and all installed plugins.

    Raises SettingsError if a plugin cannot be loaded.
    """
    registry = Registry()
    for function in BUILT_IN:
        registry.add(function, "glific_gpt")
    for entry_point in entry_points(group=GROUP):
        origin = entry_point.dist.name if entry_point.dist else entry_point.value
        try:
            plugin = entry_point.load()
        except Exception as error:  # a plugin is foreign code and can raise anything
            raise SettingsError(
                f"The plugin {origin} cannot be loaded ({type(error).__name__}). Uninstall or correct it."
            ) from error
        registry.add(plugin, origin)
    return registry
