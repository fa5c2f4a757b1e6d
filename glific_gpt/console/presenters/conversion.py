"""What a conversion changes, leaves and warns of, in the language of the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from glific_gpt.console.presenters.labels import translate
from glific_gpt.flows.converting import Conversion, Note, Remark
from glific_gpt.ready_flows import FlowWarning


@dataclass(frozen=True)
class ConversionLine:
    """One thing to know about one node."""

    flow: str
    function: str
    result_name: str
    says: str


@dataclass(frozen=True)
class ConversionSummary:
    """What a person reads before the file is converted."""

    changed: list[ConversionLine]
    left: list[ConversionLine]
    warnings: list[ConversionLine]
    renamed: list[str]
    then: str
    """What to do with the file in Glific."""
    cautions: list[str]
    """About the whole file."""


def present_conversion(conversion: Conversion, cautions: Iterable[FlowWarning] = ()) -> ConversionSummary:
    return ConversionSummary(
        _lines(conversion.changed),
        _lines(conversion.unchanged),
        _lines(conversion.warnings),
        [_says(renamed.remark) for renamed in conversion.renamed],
        _says(conversion.next_step) if conversion.next_step else "",
        translate_warnings(cautions),
    )


def translate_warnings(cautions: Iterable[FlowWarning]) -> list[str]:
    return [translate(caution.template) % caution.values for caution in cautions]


def _lines(notes: Iterable[Note]) -> list[ConversionLine]:
    return [ConversionLine(note.node.flow, note.node.function, note.node.result_name, _says(note.remark)) for note in notes]


def _says(remark: Remark) -> str:
    return translate(remark.template).format_map(remark.values)
