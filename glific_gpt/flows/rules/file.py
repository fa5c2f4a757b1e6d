"""Rules of the file: what Flows > Import reads (glific/glific: Flows.import_flow)."""

from collections.abc import Iterator
from typing import Any

from glific_gpt.flows.keywords import as_kept
from glific_gpt.flows.reading import Thing, has_only, repeated, text, texts, thing, things
from glific_gpt.flows.rules.flow import broken_in_flow

LISTS = {"contact_field": str, "collections": str, "interactive_templates": dict}
"""Glific goes through them without asking whether they are there."""


def broken_in_file(export: Any) -> Iterator[str]:
    if not isinstance(export, dict):
        yield "The file is not a JSON object."
        return
    for key, kind in LISTS.items():
        if not has_only(export.get(key), kind):
            yield f"The file's {key} is not a list of {'names' if kind is str else 'objects'}."
    if not has_only(export.get("flows"), dict) or not export["flows"]:
        yield "The file's flows is not a list of flows."
    flows = things(export.get("flows"))
    yield from _shared_by_flows(flows)
    for flow in flows:
        yield from _broken_around_flow(flow)


def _shared_by_flows(flows: list[Thing]) -> Iterator[str]:
    definitions = [thing(flow.get("definition")) for flow in flows]
    for key in ("name", "uuid"):
        for value in repeated(text(definition.get(key)) for definition in definitions):
            yield f'Two flows of the file have the {key} "{value}".'
    for keyword in repeated(keyword for flow in flows for keyword in set(texts(flow.get("keywords")))):
        yield f'Two flows of the file have the keyword "{keyword}".'


def _broken_around_flow(flow: Thing) -> Iterator[str]:
    definition = flow.get("definition")
    if not isinstance(definition, dict):
        yield "A flow of the file has no definition."
        return
    name = f'Flow "{text(definition.get("name"))}"'
    if not has_only(flow.get("keywords"), str):
        yield f"{name}: its keywords are not a list of texts."
    for keyword in texts(flow.get("keywords")):
        if not keyword or as_kept(keyword) != keyword:
            yield f'{name}: its keyword "{keyword}" is never heard: Glific hears "{as_kept(keyword)}".'
    yield from (f"{name}{sentence}" for sentence in broken_in_flow(definition))
