"""The report of a conversion: remarks about nodes and flows, with placeholders in braces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from glific_gpt.errors import N_
from glific_gpt.flows.files import Export

CHANGED = N_("Calls this server now. Answers must come in less than five seconds.")
CHANGED_ON_CYCLE = N_(
    "Calls this server now. Answers must come in less than five seconds. The flow returns to this node, so the "
    "address changes with each answer and each message. Glific drops a second call to the same address within a minute."
)

OTHER_FUNCTION = N_("{function} still calls Glific: this server does not have this function.")
MISSPELT_FUNCTION = N_("Glific has no function of this name. Write {name} if you mean this one.")
DEPRECATED_FUNCTION = N_(
    "Glific publishes no flow with {function}. Put Glific's node {replacement} in its place before you publish."
)
SPEECH_FUNCTION = N_("{function} still calls Glific: this server does not process speech.")
BODY_NOT_JSON = N_(
    "The Function body is not a JSON object, so the conversation stops at this node in Glific. Correct the body, "
    "export the flow again, and convert that file."
)
MODEL_NOT_TEXT = N_(
    "{model} is not a text model, so the node was not changed. Enter a text model in the Function body, export the "
    "flow again, and convert that file."
)
ALREADY_CONVERTED = N_("Already calls this server.")

EMPTY_BODY = N_("The Function body was empty. Enter the question after question_text.")
NO_QUESTION = N_("The Function body has no question_text. Add it, otherwise there is no answer.")
EMPTY_PICTURE_BODY = N_("The Function body was empty. Enter the address of the picture after url.")
NO_PICTURE = N_("The Function body has no url. Add the address of the picture, otherwise there is no answer.")
PICTURE_DOWNLOAD = N_(
    "Glific downloaded the picture itself. Now OpenAI downloads it from its address. If it cannot, let this server "
    "download pictures, in the settings of the organization."
)
READS_NO_PICTURES = N_(
    "{model} cannot read pictures, so each call of this node fails. Enter a model that can, such as gpt-4o-mini, in "
    "the Function body. The page Models shows which models read pictures."
)
SEARCHES_NO_FILES = N_(
    "{model} cannot search documents, so each call of this node fails. Enter a model that can, such as gpt-4o-mini, in "
    "the Function body. The page Models shows which models search documents."
)
SERVER_SEARCHES_NO_FILES = N_(
    "The key is at the server {host}, which cannot search documents, so each call of this node fails. Only OpenAI can. "
    "Use a key of OpenAI for this function."
)
EMPTY_DOCUMENT_BODY = N_("The Function body was empty. Enter the question after question.")
NO_DOCUMENT_QUESTION = N_("The Function body has no question. Add it, otherwise there is no answer.")
SLOW_DOCUMENTS = N_(
    "Glific's function lets the flow wait for the answer. This node waits for less than five seconds, and an answer "
    "from documents often takes longer. Download a ready flow to see how a flow waits."
)
ASSISTANT_REPLACED = N_(
    "The assistant {assistant} stays with Glific. The node searches the vector store {store} of your OpenAI account. "
    "Upload the documents of the assistant there, on the page Documents, and copy its instructions into prompt."
)
ASSISTANT_WITHOUT_STORE = N_(
    "The assistant {assistant} stays with Glific. Create a vector store on the page Documents, upload the documents of "
    "the assistant, and copy its instructions into prompt. Until then each call of this node fails."
)
NO_STORE = N_(
    "This organization has no vector store yet, so each call of this node fails. Create one on the page Documents, and "
    "upload your documents."
)
TWO_MODELS = N_("The Function body had two models. gpt_model {gpt_model} was kept, model {model} was removed.")
GPT_MODEL_HONOURED = N_("Glific ignored gpt_model and used gpt-4o. This server uses {gpt_model}.")
MODEL_NOT_ALLOWED = N_(
    "{model} is not allowed here, so each call of this node fails. Allow it on the page Models, or enter another "
    "model in the Function body."
)
CUSTOM_CONTACT = N_(
    'The Function body has its own contact, which was kept. Limits for each contact and later answers need "@contact".'
)
CUSTOM_RESULTS = N_(
    "The Function body has its own results, which were kept. This server receives the flow's results only with "
    '"@results".'
)
CUSTOM_FLOW_ID = N_('The Function body has its own flow_id, which was kept. Later answers need "@flow.id".')
UNREADABLE_RESULT_NAME = N_(
    'No variable can read a result with the name "{result_name}". Use letters, digits and _ only.'
)
JSON_SCHEMA_MODEL = N_(
    "{model} cannot answer by a JSON schema, so the node asks {replacement}. Glific asked gpt-4o-2024-08-06."
)
PROMPT_READS_ANSWER = N_(
    'The body reads {variable}, which is the node\'s own earlier answer. Before there is one, the server reads "-" in '
    "its place. Change this text under defaults in the Function body."
)
TOO_MANY_DEFAULTS = N_(
    "The body reads many variables of the node's own earlier answer. They need {number} texts under defaults, where "
    "{limit} are allowed, so each call fails. Remove some of these variables from the Function body."
)
EMPTY_QUESTION = N_(
    "question_text is empty, as in the template of Glific's editor, so each call fails. Enter a variable such as "
    "@results.question_1.input."
)
LOST_MEMORY = N_(
    "thread_id reads {value}, which no node of the flow saves, so each question begins a new conversation. Read the "
    "result of a node that has thread_id in its own body."
)
ASSISTANT_ID = N_("Importing a file empties assistant_id. Enter {value} again in this node after the import.")
MISSING_TEMPLATE = N_(
    'The interactive message "{value}" is not in the file, so Glific cannot import it. Choose the message again in '
    "this node, and export the flow again."
)
JOINED_VARIABLE = N_(
    "Glific does not fill {value}, because a letter or sign outside ASCII follows it directly. Put a blank behind "
    "{value}."
)
SUSPICIOUS_CODE = N_(
    'Glific takes "{value}" in this text for suspicious code, and does not publish the flow. Write it in another way.'
)
NEEDS_COUNTER = N_(
    "The flow can return to this node within a minute before the person writes. Glific then drops the call, and the "
    "conversation stops. Add a counter: count up with Update flow result before this node, and put the number into "
    "its address."
)

NEXT_STEP_IN_PLACE = N_(
    "Open the flow in Glific's editor, and change each of these nodes as listed. Send draft: and the flow's keyword to "
    "try it, and publish it."
)
NEXT_STEP_COPY = N_(
    "Import this file and send draft:{keyword} to try it. The old flow continues to work. When you are satisfied, "
    "publish the new flow, and move the keyword from the old flow to the new one. Keep the old flow, because its "
    "results, logs and triggers belong to it."
)
NEXT_STEP_COPY_WITHOUT_KEYWORD = N_(
    "Import this file, give the flow a keyword such as trial, and send draft:trial to try it. The old flow continues "
    "to work. When you are satisfied, publish the new flow, and use it everywhere in place of the old one. Keep the "
    "old flow, because its results, logs and triggers belong to it."
)
RENAMED = N_('"{before}" is called "{name}" in this file. People start it with {keywords}.')
RENAMED_WITHOUT_KEYWORD = N_('"{before}" is called "{name}" in this file. It has no keyword.')
FLOW_EXPRESSION = N_(
    "{expression} decides which flow comes next. If it leads to a flow of this file, it still leads to the old one."
)


@dataclass(frozen=True)
class Remark:
    """A sentence and the values of its placeholders, kept apart so that the sentence can be translated."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.values)


@dataclass(frozen=True)
class NodeReference:
    """Identifies a node for the reader of the report."""

    flow: str
    """The flow's name."""
    uuid: str
    function: str
    """The function or address that the node calls, without a query."""
    result_name: str


@dataclass(frozen=True)
class Note:
    """A remark about one node: its change, the reason for no change, or a warning."""

    node: NodeReference
    remark: Remark

    @property
    def message(self) -> str:
        """The remark in English."""
        return str(self.remark)


@dataclass(frozen=True)
class RenamedFlow:
    """A flow that has another name in the converted file."""

    before: str
    """The old name."""
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
class NodeEdit:
    """The values to enter in a webhook node to convert it by hand."""

    node: NodeReference
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """All headers of the node. They may hold a token."""
    body: str | None
    """None if the body stays as it is."""


@dataclass(frozen=True)
class Conversion:
    """A converted export and its report."""

    export: Export
    changed: tuple[Note, ...]
    unchanged: tuple[Note, ...]
    """Nodes that a reader might expect to be changed."""
    warnings: tuple[Note, ...]
    """About changed nodes that someone should check."""
    renamed: tuple[RenamedFlow, ...] = ()
    """Every flow of the file, if the flows were copied."""
    edits: tuple[NodeEdit, ...] = ()
    """The values of the changed nodes, in the order of `changed`."""
    next_step: Remark | None = None
    """Instructions for importing the file; None if nothing was changed."""
