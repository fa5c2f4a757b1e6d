"""Turns the GPT nodes of an exported flow into calls of this server; everything else stays as it was."""

from dataclasses import replace
from typing import Any

from glific_gpt.flows.converting import sentences
from glific_gpt.flows.converting.actions import outcome
from glific_gpt.flows.converting.beside import Place, beside
from glific_gpt.flows.converting.report import Conversion, Node, Note, Remark, Renamed
from glific_gpt.flows.converting.webhooks import Path, webhooks
from glific_gpt.flows.files import Export
from glific_gpt.flows.way_in import WayIn

__all__ = ["Conversion", "Node", "Note", "Place", "Remark", "Renamed", "convert", "convertible"]


def convert(export: Export, way_in: WayIn, place: Place = Place.INSTEAD) -> Conversion:
    """The export with its GPT nodes calling this server; the given one is not touched.

    Converted are webhook nodes of the method FUNCTION that call `parse_via_chat_gpt`, in all flows of
    the file. Their exits stay, so that the flow goes on as before. A second time changes nothing.
    Beside the old flow it is another flow, unless nothing was converted; that takes what `files.read` takes.
    """
    done = _turned(export, way_in)
    if not done.changed:
        return done
    if place is Place.INSTEAD:
        return replace(done, then=Remark(sentences.THEN_INSTEAD))
    others = beside(export)
    done = _turned(others.export, way_in)
    return replace(done, warnings=done.warnings + others.warnings, renamed=others.renamed, then=others.then)


def convertible(export: Export) -> bool:
    """Whether there is a node that `convert` would change."""
    return bool(_turned(export, WayIn(url="", token=None)).changed)


def _turned(export: Export, way_in: WayIn) -> Conversion:
    found = [(webhook, done) for webhook in webhooks(export) if (done := outcome(webhook, way_in))]
    for webhook, done in found:
        if done.action is not None:
            export = _replaced(export, webhook.path, done.action)
    return Conversion(
        export,
        changed=tuple(Note(webhook.where(), done.remark) for webhook, done in found if done.action is not None),
        left=tuple(Note(webhook.where(), done.remark) for webhook, done in found if done.action is None),
        warnings=tuple(Note(webhook.where(), warning) for webhook, done in found for warning in done.warnings),
    )


def _replaced(tree: Any, path: Path, leaf: Any) -> Any:
    """A copy of the tree with another leaf; whatever is beside the path is shared."""
    if not path:
        return leaf
    key, *rest = path
    copy: Any = {**tree} if isinstance(tree, dict) else [*tree]
    copy[key] = _replaced(tree[key], tuple(rest), leaf)
    return copy
