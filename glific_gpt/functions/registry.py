"""The registry of functions. Built-in functions and plugins are registered in the same way."""

import pkgutil
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from glific_gpt import functions
from glific_gpt.errors import GlificGptError, SettingsError, UnknownFunction
from glific_gpt.functions.body_validation import validate_body
from glific_gpt.functions.contract import Function

GROUP = "glific_gpt.functions"
"""Entry point group in which an installed package offers a Function."""

DEFAULT_FUNCTION = "parse_via_chat_gpt"
"""The function that pages show first."""


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


def find_built_in() -> list[Function[Any]]:
    """Return the functions that modules of this package offer under the name `function`, the default one first."""
    names = sorted(module.name for module in pkgutil.iter_modules(functions.__path__))
    modules = (import_module(f"{functions.__name__}.{name}") for name in names)
    found = [module.function for module in modules if isinstance(getattr(module, "function", None), Function)]
    return sorted(found, key=lambda function: function.name != DEFAULT_FUNCTION)


def load() -> Registry:
    """Return a registry of the built-in functions and all installed plugins.

    Raises SettingsError if a plugin cannot be loaded.
    """
    registry = Registry()
    for function in find_built_in():
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
