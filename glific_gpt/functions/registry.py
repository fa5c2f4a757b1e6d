"""The registry of functions: built-ins and plugins come in by the same door."""

from importlib.metadata import entry_points
from typing import Any

from glific_gpt.errors import SettingsError, UnknownFunction
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.functions.contract import Function

GROUP = "glific_gpt.functions"
"""The group of entry points by which an installed package offers a Function."""

BUILT_IN = (parse_via_chat_gpt.function,)


class Registry:
    """Functions by name."""

    def __init__(self) -> None:
        self._functions: dict[str, Function[Any]] = {}

    def add(self, function: object, origin: str) -> None:
        """Raises SettingsError for what is no Function, and for a name that is taken."""
        if not isinstance(function, Function):
            raise SettingsError(f"The plugin {origin} offers something that is not a Function.")
        if function.name in self._functions:
            raise SettingsError(f"The plugin {origin} offers a function {function.name}, and there is one already.")
        self._functions[function.name] = function

    def get(self, name: str) -> Function[Any]:
        """Raises UnknownFunction."""
        if name not in self._functions:
            raise UnknownFunction
        return self._functions[name]

    def blocks(self, name: str) -> bool:
        """Whether the function, if there is one, may wait for anything but its model."""
        return name in self._functions and self._functions[name].blocks


def load() -> Registry:
    """The built-ins and every installed plugin. Raises SettingsError when a plugin cannot be taken."""
    registry = Registry()
    for function in BUILT_IN:
        registry.add(function, "glific_gpt")
    for entry_point in entry_points(group=GROUP):
        origin = entry_point.dist.name if entry_point.dist else entry_point.value
        try:
            plugin = entry_point.load()
        except Exception as error:  # a plugin is somebody else's code: it can fail in any way
            raise SettingsError(f"The plugin {origin} cannot be loaded ({type(error).__name__}).") from error
        registry.add(plugin, origin)
    return registry
