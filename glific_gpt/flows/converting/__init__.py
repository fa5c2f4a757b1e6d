"""Turns the GPT nodes of an exported flow into calls of this server; everything else stays as it was."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.actions import Refusal, outcome
from glific_gpt.flows.converting.copies import Place, beside
from glific_gpt.flows.converting.report import Conversion, Node, Note, Remark, Renamed
from glific_gpt.flows.converting.webhooks import Path, webhooks
from glific_gpt.flows.files import Export
from glific_gpt.flows.webhook_auth import WayIn

__all__ = ["Conversion", "Node", "Note", "Place", "Refusal", "Remark", "Renamed", "convert", "convertible"]


def _any(_model: str) -> None:
    """Nobody has said which models are refused."""


def convert(export: Export, way_in: WayIn, place: Place = Place.INSTEAD, *, refusal: Refusal = _any) -> Conversion:
    """The export with its GPT nodes calling this server; the given one is not touched.

    Converted are webhook nodes of the method FUNCTION that call `parse_via_chat_gpt`, in all flows of
    the file. Their exits stay, so that the flow goes on as before. A second time changes nothing.
    Beside the old flow it is another flow, unless nothing was converted; that takes what `files.read` takes.
    """
    if place is Place.INSTEAD or not convertible(export, refusal=refusal):
        done = _turned(export, way_in, refusal)
        return replace(done, then=Remark(report.THEN_INSTEAD) if done.changed else None)
    others = beside(export)
    done = _turned(others.export, way_in, refusal)
    return replace(done, warnings=done.warnings + others.warnings, renamed=others.renamed, then=others.then)


def convertible(export: Export, *, refusal: Refusal = _any) -> bool:
    """Whether there is a node that `convert` would change; it looks no further than to the first."""
    nobody = WayIn(url="", token=None)
    found = (outcome(webhook, nobody, refusal) for webhook in webhooks(export))
    return any(done is not None and done.action is not None for done in found)


def _turned(export: Export, way_in: WayIn, refusal: Refusal) -> Conversion:
    found = [(webhook, done) for webhook in webhooks(export) if (done := outcome(webhook, way_in, refusal))]
    actions = [(webhook.path, done.action) for webhook, done in found if done.action is not None]
    return Conversion(
        _replaced(export, actions) if actions else export,
        changed=tuple(Note(webhook.where(), done.remark) for webhook, done in found if done.action is not None),
        left=tuple(Note(webhook.where(), done.remark) for webhook, done in found if done.action is None),
        warnings=tuple(Note(webhook.where(), warning) for webhook, done in found for warning in done.warnings),
    )


def _replaced(tree: Any, leaves: Sequence[tuple[Path, Any]]) -> Any:
    """A copy of the tree with other leaves, which come in its order; whatever is beside their paths is shared."""
    copy: Any = {**tree} if isinstance(tree, dict) else [*tree]
    for key, group in groupby(leaves, key=lambda leaf: leaf[0][0]):
        below = [(path[1:], leaf) for path, leaf in group]
        copy[key] = _replaced(tree[key], below) if below[0][0] else below[0][1]
    return copy
