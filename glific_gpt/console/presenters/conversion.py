"""What a conversion changes, leaves and warns of, in the language of the page."""

from collections.abc import Iterable
from dataclasses import dataclass

from glific_gpt.console.presenters.labels import in_their_language
from glific_gpt.flows.converting import Conversion, Note, Remark
from glific_gpt.ready_flows import Caution


@dataclass(frozen=True)
class Line:
    """One thing to know about one node."""

    flow: str
    function: str
    result_name: str
    says: str


@dataclass(frozen=True)
class Changes:
    """What a person reads before the file is converted."""

    changed: list[Line]
    left: list[Line]
    warnings: list[Line]
    renamed: list[str]
    then: str
    """What to do with the file in Glific."""
    cautions: list[str]
    """About the whole file."""


def changes(conversion: Conversion, cautions: Iterable[Caution] = ()) -> Changes:
    return Changes(
        _lines(conversion.changed),
        _lines(conversion.left),
        _lines(conversion.warnings),
        [_says(renamed.remark) for renamed in conversion.renamed],
        _says(conversion.then) if conversion.then else "",
        in_words(cautions),
    )


def in_words(cautions: Iterable[Caution]) -> list[str]:
    return [in_their_language(caution.says) % caution.values for caution in cautions]


def _lines(notes: Iterable[Note]) -> list[Line]:
    return [Line(note.node.flow, note.node.function, note.node.result_name, _says(note.remark)) for note in notes]


def _says(remark: Remark) -> str:
    return in_their_language(remark.template).format_map(remark.values)
