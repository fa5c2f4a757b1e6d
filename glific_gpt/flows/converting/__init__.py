"""Convert the GPT nodes of an exported flow into calls of this server, and leave everything else unchanged."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.actions import convert_webhook
from glific_gpt.flows.converting.bodies import ModelRules
from glific_gpt.flows.converting.cautions import find_cautions
from glific_gpt.flows.converting.copies import Placement, copy_flows
from glific_gpt.flows.converting.report import Conversion, NodeEdit, NodeReference, Note, Remark, RenamedFlow
from glific_gpt.flows.converting.webhooks import Path, Webhook, find_webhooks
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import Export
from glific_gpt.flows.structure import JsonObject

__all__ = [
    "Conversion",
    "ModelRules",
    "NodeEdit",
    "NodeReference",
    "Note",
    "Placement",
    "Remark",
    "RenamedFlow",
    "convert",
    "has_convertible_nodes",
]


ANY_MODEL = ModelRules()
"""Allows every model: the default of callers that have no list of models."""


def convert(
    export: Export,
    endpoint: WebhookEndpoint,
    placement: Placement = Placement.IN_PLACE,
    *,
    models: ModelRules = ANY_MODEL,
) -> Conversion:
    """Return the export with its GPT nodes calling this server; do not modify the given one.

    Convert webhook nodes of the method FUNCTION that call one of FUNCTIONS, in all flows of the file. Their exits
    stay, so that the flow continues as before. Converting a converted file changes nothing.

    With Placement.COPY the flows also get new names, keywords and uuids, unless no node was converted. This
    requires an export that `files.parse_export` accepts.
    """
    if placement is Placement.IN_PLACE or not has_convertible_nodes(export, models=models):
        conversion = _convert_nodes(export, endpoint, models, placement)
        return replace(conversion, next_step=Remark(report.NEXT_STEP_IN_PLACE) if conversion.changed else None)
    copies = copy_flows(export)
    conversion = _convert_nodes(copies.export, endpoint, models, placement)
    return replace(
        conversion,
        warnings=conversion.warnings + copies.warnings,
        renamed=copies.renamed,
        next_step=copies.next_step,
    )


def has_convertible_nodes(export: Export, *, models: ModelRules = ANY_MODEL) -> bool:
    """Return whether `convert` would change a node. Stops at the first such node."""
    # An empty address, because the decision whether a node is converted does not depend on it.
    endpoint = WebhookEndpoint(url="", token=None)
    results = (convert_webhook(webhook, endpoint, models) for webhook in find_webhooks(export))
    return any(result is not None and result.action is not None for result in results)


def _convert_nodes(export: Export, endpoint: WebhookEndpoint, models: ModelRules, placement: Placement) -> Conversion:
    results = [
        (webhook, result) for webhook in find_webhooks(export) if (result := convert_webhook(webhook, endpoint, models))
    ]
    actions = [(webhook.path, result.action) for webhook, result in results if result.action is not None]
    cautions = find_cautions(export, is_imported=placement is Placement.COPY) if actions else []
    # The import empties no assistant of a node that no longer has one.
    converted = {webhook.reference().uuid for webhook, result in results if result.action is not None}
    cautions = (
        note for note in cautions if note.node.uuid not in converted or note.remark.template != report.ASSISTANT_ID
    )
    return Conversion(
        _replace_leaves(export, actions) if actions else export,
        changed=tuple(Note(webhook.reference(), result.remark) for webhook, result in results if result.action),
        unchanged=tuple(Note(webhook.reference(), result.remark) for webhook, result in results if not result.action),
        warnings=tuple(Note(webhook.reference(), warning) for webhook, result in results for warning in result.warnings)
        + tuple(cautions),
        edits=tuple(_edit(webhook, result.action) for webhook, result in results if result.action is not None),
    )


def _edit(webhook: Webhook, action: JsonObject) -> NodeEdit:
    body = action["body"] if action["body"] != webhook.action.get("body") else None
    return NodeEdit(webhook.reference(), action["method"], action["url"], action["headers"], body)


def _replace_leaves(tree: Any, leaves: Sequence[tuple[Path, Any]]) -> Any:
    """Return a copy of the tree with other leaves, given in the order of the tree.

    Subtrees without such a leaf are shared with the original, so that writing the file only compares what changed.
    """
    copy: Any = {**tree} if isinstance(tree, dict) else [*tree]
    for key, group in groupby(leaves, key=lambda leaf: leaf[0][0]):
        below = [(path[1:], leaf) for path, leaf in group]
        copy[key] = _replace_leaves(tree[key], below) if below[0][0] else below[0][1]
    return copy
