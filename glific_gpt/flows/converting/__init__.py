"""Convert the GPT nodes of an exported flow into calls of this server, and leave everything else unchanged."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.actions import ModelRefusal, convert_webhook
from glific_gpt.flows.converting.copies import Placement, copy_flows
from glific_gpt.flows.converting.report import Conversion, NodeReference, Note, Remark, RenamedFlow
from glific_gpt.flows.converting.webhooks import Path, find_webhooks
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import Export

__all__ = [
    "Conversion",
    "ModelRefusal",
    "NodeReference",
    "Note",
    "Placement",
    "Remark",
    "RenamedFlow",
    "convert",
    "has_convertible_nodes",
]


def _refuse_no_model(_model: str) -> None:
    """Allow every model: the default of callers that have no list of models."""


def convert(
    export: Export,
    endpoint: WebhookEndpoint,
    placement: Placement = Placement.REPLACE,
    *,
    refusal: ModelRefusal = _refuse_no_model,
) -> Conversion:
    """Return the export with its GPT nodes calling this server; do not modify the given one.

    Convert webhook nodes of the method FUNCTION that call `parse_via_chat_gpt`, in all flows of the file. Their exits
    stay, so that the flow continues as before. Converting a converted file changes nothing.

    With Placement.COPY the flows also get new names, keywords and uuids, unless no node was converted. This
    requires an export that `files.parse_export` accepts.
    """
    if placement is Placement.REPLACE or not has_convertible_nodes(export, refusal=refusal):
        conversion = _convert_nodes(export, endpoint, refusal)
        return replace(conversion, next_step=Remark(report.NEXT_STEP_REPLACE) if conversion.changed else None)
    copies = copy_flows(export)
    conversion = _convert_nodes(copies.export, endpoint, refusal)
    return replace(
        conversion,
        warnings=conversion.warnings + copies.warnings,
        renamed=copies.renamed,
        next_step=copies.next_step,
    )


def has_convertible_nodes(export: Export, *, refusal: ModelRefusal = _refuse_no_model) -> bool:
    """Return whether `convert` would change a node. Stops at the first such node."""
    # An empty address, because the decision whether a node is converted does not depend on it.
    endpoint = WebhookEndpoint(url="", token=None)
    results = (convert_webhook(webhook, endpoint, refusal) for webhook in find_webhooks(export))
    return any(result is not None and result.action is not None for result in results)


def _convert_nodes(export: Export, endpoint: WebhookEndpoint, refusal: ModelRefusal) -> Conversion:
    results = [
        (webhook, result)
        for webhook in find_webhooks(export)
        if (result := convert_webhook(webhook, endpoint, refusal))
    ]
    actions = [(webhook.path, result.action) for webhook, result in results if result.action is not None]
    return Conversion(
        _replace_leaves(export, actions) if actions else export,
        changed=tuple(Note(webhook.reference(), result.remark) for webhook, result in results if result.action),
        unchanged=tuple(Note(webhook.reference(), result.remark) for webhook, result in results if not result.action),
        warnings=tuple(
            Note(webhook.reference(), warning) for webhook, result in results for warning in result.warnings
        ),
    )


def _replace_leaves(tree: Any, leaves: Sequence[tuple[Path, Any]]) -> Any:
    """Return a copy of the tree with other leaves, given in the order of the tree.

    Subtrees without such a leaf are shared with the original, so that writing the file only compares what changed.
    """
    copy: Any = {**tree} if isinstance(tree, dict) else [*tree]
    for key, group in groupby(leaves, key=lambda leaf: leaf[0][0]):
        below = [(path[1:], leaf) for path, leaf in group]
        copy[key] = _replace_leaves(tree[key], below) if below[0][0] else below[0][1]
    return copy
