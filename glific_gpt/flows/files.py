"""The files that Flows > Export gives and Flows > Import takes: read, and written again."""

from typing import Any, TypeAlias

from glific_gpt.errors import N_, NotAFlowExport
from glific_gpt.flows.splicing import dumped, spliced
from glific_gpt.flows.strict import decoded

Export: TypeAlias = dict[str, Any]
"""`{"flows": [{"definition": {...}, "keywords": [...]}], "contact_field": [], "collections": [],
"interactive_templates": []}`, its keys in any order."""

NOT_JSON = N_("This file is not JSON, or it is cut off: export the flow once more in Glific.")
NO_FLOWS = N_('This file has no "flows": choose the .json file of Flows > Export.')
NO_NODES = N_("A flow in this file has no definition with nodes: export the flow once more in Glific.")


def read(text: str | bytes) -> Export:
    """The export in a file, its keys in their order.

    Raises NotAFlowExport for what is not JSON, has no flows, or has a flow without nodes. Anything
    else about it may still be wrong: that is what `rules.broken` is for.
    """
    try:
        export = decoded(_text(text))
    except ValueError:
        raise NotAFlowExport(NOT_JSON) from None
    flows = export.get("flows") if isinstance(export, dict) else None
    if not isinstance(flows, list) or not flows:
        raise NotAFlowExport(NO_FLOWS)
    if not all(_has_nodes(flow) for flow in flows):
        raise NotAFlowExport(NO_NODES)
    return {**export}


def written(export: Export, like: str | bytes | None = None) -> str:
    """The export as a file that ends with a newline.

    With `like`, a file that `read` has taken: every character of it where the two say the same, and its
    indentation where they differ. Without it: indented by two spaces.
    """
    text = dumped(export) if like is None else spliced(_text(like), export)
    return text if text.endswith("\n") else text + "\n"


def _text(text: str | bytes) -> str:
    """Raises ValueError for bytes that are not UTF-8."""
    return (text.decode() if isinstance(text, bytes) else text).removeprefix("\ufeff")


def _has_nodes(flow: Any) -> bool:
    definition = flow.get("definition") if isinstance(flow, dict) else None
    return isinstance(definition, dict) and isinstance(definition.get("nodes"), list)
