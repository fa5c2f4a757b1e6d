"""What a conversion says about a node; what is filled in stands in braces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from glific_gpt.errors import N_
from glific_gpt.flows.files import Export

CHANGED = N_("Calls this server now, which has less than five seconds for an answer.")
CHANGED_IN_A_LOOP = N_(
    "Calls this server now, which has less than five seconds for an answer. As the flow comes back here, the address "
    "changes with each answer and each message: Glific would drop the same call within a minute."
)

OTHER_FUNCTION = N_("{function} stays Glific's own function: this server does not serve it.")
MISSPELT = N_("Glific knows no function of this name: did its author mean parse_via_chat_gpt?")
SPEECH = N_("{function} stays Glific's own function: speech never goes through this server.")
BODY_NOT_JSON = N_(
    "The Function body is not a JSON object, so the conversation stops here in Glific already: "
    "mend the body, export the flow once more, and convert it then."
)
MODEL_NOT_TEXT = N_(
    "This server asks text models alone, and {model} is none, so the node stays as it is: name a text model in the "
    "Function body, export the flow once more, and convert it then."
)
ALREADY_HERE = N_("Calls this server already.")

NO_BODY = N_("The Function body was empty: write the question behind question_text.")
NO_QUESTION = N_("The Function body has no question_text: without one there is no answer.")
TWO_MODELS = N_("The Function body named two models: gpt_model {gpt_model} stays, model {model} was taken out.")
MODEL_HONOURED = N_("Glific ignored gpt_model and asked gpt-4o; this server asks {gpt_model}.")
MODEL_NOT_ALLOWED = N_(
    "The node asks {model}, which is not allowed here, so each call fails: allow it on the page Models, or name "
    "another model in the Function body."
)
OWN_CONTACT = N_(
    'The Function body has a contact of its own, which stays. Only with "@contact" there can questions be limited for '
    "each contact, and answers come later."
)
OWN_RESULTS = N_(
    'The Function body has results of its own, which stay. With "@results" there this server would get what the flow '
    "has saved."
)
OWN_FLOW_ID = N_(
    'The Function body has a flow_id of its own, which stays. Only with "@flow.id" there can answers come later.'
)
RESULT_NAME = N_('The result is saved as "{result_name}", which no variable can read: use letters, digits and _ alone.')
NEEDS_A_COUNTER = N_(
    "The flow can come back here within a minute without that the person has written, and then Glific drops the call "
    "and the conversation hangs: count up with Update flow result before this node, and put the number into its "
    "address."
)

THEN_INSTEAD = N_(
    "Keep the file that you exported, to go back to. Delete the old flow in Glific, which takes no second flow of the "
    "same name or keyword; then import this file and publish the flow."
)
THEN_BESIDE = N_(
    "Import this file and send draft:{keyword} to try it; the old flow goes on as before. Publish the flow, and when "
    "you are content, take the keyword out of the old flow and give it to this one."
)
THEN_BESIDE_WITHOUT_KEYWORD = N_(
    "Import this file and give the flow a keyword, such as trial, to try it by sending draft:trial; the old flow goes "
    "on as before. Publish the flow, and when you are content, use it wherever the old one is used."
)
RENAMED = N_('"{before}" is called "{name}" in this file, and starts with {keywords}.')
RENAMED_WITHOUT_KEYWORD = N_('"{before}" is called "{name}" in this file. It has no keyword.')
BY_EXPRESSION = N_(
    "Which flow comes next is found by {expression}: where that leads to a flow of this file, it still leads to the "
    "old one."
)


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
            return Remark(RENAMED_WITHOUT_KEYWORD, names)
        return Remark(RENAMED, names | {"keywords": ", ".join(self.keywords)})


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
