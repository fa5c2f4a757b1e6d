"""Example bodies of functions, as a webhook node of a flow sends them."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from glific_gpt.functions.contract import Function

GLIFIC_VALUES: Mapping[str, JsonValue] = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
"""Fields that Glific fills. A later answer needs them to reach its flow."""


def flow_body(function: Function[Any], model: str, settings: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a body with the variables of a flow, for the Function body of a webhook node.

    `settings` are the organization's values of the fields in `function.settings`, as far as it has set them.
    """
    own = {**function.example, **settings, **function.flow_values}
    return {**GLIFIC_VALUES, **own, "gpt_model": model}
