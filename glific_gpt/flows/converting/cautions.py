"""Warnings about nodes of a converted file that the conversion itself does not change."""

from collections.abc import Iterator

from glific_gpt.flows.converting import report
from glific_gpt.flows.converting.report import NodeReference, Note, Remark
from glific_gpt.flows.files import Export
from glific_gpt.flows.pitfalls import Pitfall, PitfallKind, find_pitfalls
from glific_gpt.flows.structure import as_object, as_string

_TEMPLATES = {
    PitfallKind.EMPTY_QUESTION: report.EMPTY_QUESTION,
    PitfallKind.LOST_MEMORY: report.LOST_MEMORY,
    PitfallKind.JOINED_VARIABLE: report.JOINED_VARIABLE,
    PitfallKind.SUSPICIOUS_CODE: report.SUSPICIOUS_CODE,
}
"""Deprecated functions are not among them: the report has these nodes as unchanged."""
_IMPORT_TEMPLATES = {
    PitfallKind.ASSISTANT_ID: report.ASSISTANT_ID,
    PitfallKind.MISSING_TEMPLATE: report.MISSING_TEMPLATE,
}


def find_cautions(export: Export, *, is_imported: bool) -> Iterator[Note]:
    """Yield a note for each pitfall; those of the import only if the file is imported."""
    templates = _TEMPLATES | (_IMPORT_TEMPLATES if is_imported else {})
    for pitfall in find_pitfalls(export):
        if template := templates.get(pitfall.kind):
            yield Note(_reference(pitfall), Remark(template, {"value": pitfall.value}))


def _reference(pitfall: Pitfall) -> NodeReference:
    router, action = as_object(pitfall.node.get("router")), pitfall.action
    function = as_string(action.get("url")).partition("?")[0] or as_string(action.get("type"))
    return NodeReference(
        flow=as_string(pitfall.flow.get("name")),
        uuid=as_string(pitfall.node.get("uuid")),
        function=function or as_string(router.get("operand")),
        result_name=as_string(action.get("result_name")),
    )
