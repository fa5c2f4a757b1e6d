"""Use it in Glific, by hand: the values to copy into the nodes of a flow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from glific_gpt.console.access import AccessLevel, current_organization, requires
from glific_gpt.console.blueprint import blueprint
from glific_gpt.console.chosen_function import chosen_function
from glific_gpt.console.presenters.examples import translate_example
from glific_gpt.console.views.use_in_glific import USE_IN_GLIFIC_URL, is_connected, render_tab
from glific_gpt.flows.building import RESULT_TIMEOUT_SECONDS
from glific_gpt.functions.contract import Function
from glific_gpt.functions.needs import find_refusal
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

PLACEHOLDER = "PASTE-YOUR-TOKEN-HERE"
SUITABLE_MODEL = "gpt-4o-mini"
"""Stands in examples for a default model that cannot do what the function needs."""
GLIFIC_VALUES: Mapping[str, JsonValue] = {"contact": "@contact", "results": "@results", "flow_id": "@flow.id"}
"""Fields that Glific fills. A later answer needs them to reach its flow."""


@blueprint.get(f"{USE_IN_GLIFIC_URL}/by-hand")
@requires(AccessLevel.VIEWER)
def by_hand(slug: str) -> str:
    return render_tab(
        "by_hand",
        example=_describe_function(chosen_function()),
        functions=services().functions.all(),
        header=f"Bearer {PLACEHOLDER}",
        connected=is_connected(),
    )


@dataclass(frozen=True)
class FunctionExample:
    """The address and the body of a webhook node that calls a function."""

    function: Function[Any]
    url: str
    body: str
    """JSON."""
    later_body: str
    """The body of a node that waits for a later answer."""

    @property
    def asks_for_picture(self) -> bool:
        return "@results.picture_1.input" in self.function.flow_values.values()


def _describe_function(function: Function[Any]) -> FunctionExample:
    organization = current_organization()
    model = organization.default_model or services().settings.default_model
    if find_refusal(model, function.needs):
        model = SUITABLE_MODEL
    chosen = {name: getattr(organization, name) for name in function.settings}
    body = _flow_body(function, model, {name: value for name, value in chosen.items() if value is not None})
    return FunctionExample(
        function,
        webhook_url(services().settings.public_url, organization.slug, function.name),
        _format_json(body),
        _format_json(body | {"wait_seconds": RESULT_TIMEOUT_SECONDS}),
    )


def _format_json(body: dict[str, JsonValue]) -> str:
    """Format JSON for copying into Glific."""
    return json.dumps(body, indent=2, ensure_ascii=False)


def _flow_body(function: Function[Any], model: str, settings: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a body with the variables of a flow, for the Function body of a webhook node.

    `settings` are the organization's values of the fields in `function.settings`, as far as it has set them.
    """
    own = {**translate_example(function), **settings, **function.flow_values}
    return {**GLIFIC_VALUES, **own, "gpt_model": model}
