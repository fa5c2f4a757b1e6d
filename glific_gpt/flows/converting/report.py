"""What became of the webhook nodes of a file, in sentences for the people who maintain the flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from glific_gpt.flows.converting import sentences
from glific_gpt.flows.files import Export


@dataclass(frozen=True)
class Remark:
    """A sentence, and what is filled in; kept apart so that the sentence can be translated."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.values)


@dataclass(frozen=True)
class Node:
    """Where a webhook is."""

    flow: str
    """The flow's name."""
    uuid: str
    function: str
    """What it calls: a function's name, or an address without its query."""
    result_name: str


@dataclass(frozen=True)
class Note:
    """Something to know about one node: why it was left, what was changed, what to mind."""

    node: Node
    remark: Remark

    @property
    def says(self) -> str:
        """In English."""
        return str(self.remark)


@dataclass(frozen=True)
class Renamed:
    """A flow that is another one in the converted file than in the given one."""

    before: str
    """The old flow's name."""
    name: str
    uuid: str
    keywords: tuple[str, ...]

    @property
    def remark(self) -> Remark:
        names = {"before": self.before, "name": self.name}
        if not self.keywords:
            return Remark(sentences.RENAMED_WITHOUT_KEYWORD, names)
        return Remark(sentences.RENAMED, names | {"keywords": ", ".join(self.keywords)})


@dataclass(frozen=True)
class Conversion:
    """A converted export, and what to tell about it."""

    export: Export
    changed: tuple[Note, ...]
    left: tuple[Note, ...]
    """Nodes that one might expect to be changed and that were not."""
    warnings: tuple[Note, ...]
    """About changed nodes: what needs a person's eye."""
    renamed: tuple[Renamed, ...] = ()
    """Every flow of the file, where it goes beside the old ones."""
    then: Remark | None = None
    """What to do with the file in Glific; None where nothing was changed."""
