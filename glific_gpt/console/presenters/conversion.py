"""Summary of a flow conversion in the language of the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from glific_gpt.console.presenters.labels import translate
from glific_gpt.flows.converting import Conversion, NodeEdit, Note, Remark
from glific_gpt.operations.ready_flows import FlowWarning


@dataclass(frozen=True)
class ConversionLine:
    """A message about one node."""

    flow: str
    function: str
    result_name: str
    message: str


@dataclass(frozen=True)
class NodeInstructions:
    """The values to enter in a node of the old flow."""

    flow: str
    node: str
    """The end of its UUID, which Glific's editor shows."""
    result_name: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str
    """"" if it stays as it is."""


@dataclass(frozen=True)
class ConversionSummary:
    """Preview that is shown before the file is converted."""

    changed: list[ConversionLine]
    unchanged: list[ConversionLine]
    warnings: list[ConversionLine]
    renamed: list[str]
    instructions: list[NodeInstructions]
    """For a conversion by hand only."""
    next_step: str
    """The next step in Glific, with the converted file."""
    file_warnings: list[str]
    """Warnings about the whole file."""


def present_conversion(
    conversion: Conversion, warnings: Iterable[FlowWarning] = (), *, has_instructions: bool = False
) -> ConversionSummary:
    """Return the summary, with the values to enter by hand if `has_instructions`: they may hold a token."""
    return ConversionSummary(
        _lines(conversion.changed),
        _lines(conversion.unchanged),
        _lines(conversion.warnings),
        [_translate_remark(renamed.remark) for renamed in conversion.renamed],
        [_present_edit(edit) for edit in conversion.edits] if has_instructions else [],
        _translate_remark(conversion.next_step) if conversion.next_step else "",
        translate_warnings(warnings),
    )


def _present_edit(edit: NodeEdit) -> NodeInstructions:
    return NodeInstructions(
        edit.node.flow,
        edit.node.uuid[-4:],
        edit.node.result_name,
        edit.method,
        edit.url,
        list(edit.headers.items()),
        edit.body or "",
    )


def translate_warnings(warnings: Iterable[FlowWarning]) -> list[str]:
    return [translate(warning.template) % warning.values for warning in warnings]


def _lines(notes: Iterable[Note]) -> list[ConversionLine]:
    return [
        ConversionLine(note.node.flow, note.node.function, note.node.result_name, _translate_remark(note.remark))
        for note in notes
    ]


def _translate_remark(remark: Remark) -> str:
    return translate(remark.template).format_map(remark.values)
