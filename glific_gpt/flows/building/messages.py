"""Message texts for WhatsApp users, and sticky notes for the staff that edits the flow.

Texts that can be sent more than once contain the number of the message, which is different each time: Glific ends
a conversation in which one node sends the same text for the fifth time within six hours.
No variable stands before a `.`, a `-` or a letter outside ASCII: Glific would read these as part of its name.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from glific_gpt.flows.building.spec import FlowSpec, Mode

WELCOME = "Hello! What would you like to know? Type your question. To finish, type END."
ANSWER = "@results.gpt_response.parsed_msg\n\n_Type your next question, or END to finish. (no. @results.n.input)_"
"""One message for the answer and the prompt that follows it, as organizations pay for each message."""
RESERVED_CHARACTERS = 195
"""Characters of a message that are left beside an answer, so that staff can write a longer prompt."""
NOT_TEXT = "Please type your question. I cannot read photos or voice yet. (no. @results.n.input)"
WAIT_NOTICE = "One moment, please. I am looking for an answer. (no. @results.n.input)"
APOLOGY = "Sorry, I could not answer. Please ask again in a minute, or type END. (no. @results.n.input)"


def format_goodbye(keyword: str) -> str:
    """Return the last message. It is sent once in a conversation, so it needs no number."""
    return f"Thank you! Send {keyword} to ask again."


@dataclass(frozen=True)
class StickyNote:
    """Plain text; Glific's editor shows neither links nor bold."""

    title: str
    body: str
    color: str = "yellow"


ABOUT = """\
People send {keyword} to start. They type one question after another, GPT answers each, and END finishes.

The answers come from {host}, with your organization's own OpenAI key.

An imported flow is a draft. Send draft:{keyword} to try it, then publish it."""

CHANGE = """\
- All messages. Leave @results.n.input in them.

- In Call Webhook, under "POST Body": gpt_model is the model, prompt tells GPT what to know and do. \
max_characters leaves space for the text after an answer.

Leave the other lines as they are."""

MEMORY = """\
Each question continues the conversation, for a day after the last answer. thread_id holds the conversation, \
encrypted: only {host} can read it, and stores nothing of it.

Earlier questions and answers cost tokens each time. To answer each question on its own, remove the line thread_id \
from the POST Body of Call Webhook."""

DOCUMENTS = """\
Answers come from the documents at your OpenAI account: see the page Documents on {host}. There you choose the \
vector store, upload documents and delete them.

To search another one in this flow, add a line vector_store_id with its ID to the POST Body of Call Webhook."""

BEARER_AUTH = """\
Everyone who can edit this flow can read the token in the headers of Call Webhook, and can spend your OpenAI credit \
with it.

If these are too many people, use the webhook signature: copy it from Glific (Settings > Organization) to {host}, \
and remove the line Authorization from the headers."""

SIGNATURE_AUTH = """\
This flow has no token. Glific signs its calls with your organization's webhook signature. Enter the same one \
on {host}.

If none is set in Glific (Settings > Organization), every call fails."""

DEFERRED = """\
A slow answer comes later. The flow tells people to wait, for at most two minutes.

Your Glific must be connected on {host}. Otherwise Call Webhook fails, and people read "Sorry"."""

KEEP = """\
- n counts the messages. It is in the address and in the texts, because Glific drops a call that it has made within \
the last minute, and ends a flow that sends the same text five times in six hours.

- Only "ok" may lead to the answer. Otherwise people receive the name of a variable."""


def build_notes(spec: FlowSpec) -> dict[str, StickyNote]:
    """Return the sticky notes by their names in the grid of the layout."""
    host = urlsplit(spec.endpoint.url).hostname
    auth = SIGNATURE_AUTH if spec.endpoint.token is None else BEARER_AUTH
    notes = {
        "about": StickyNote("What this flow does", ABOUT.format(keyword=spec.keyword, host=host)),
        "change": StickyNote("You can change", CHANGE, "green"),
        "auth": StickyNote("How this flow signs in", auth.format(host=host), "purple"),
        "keep": StickyNote("Do not change", KEEP, "gray"),
    }
    if spec.uses_documents:
        notes["documents"] = StickyNote("Documents", DOCUMENTS.format(host=host), "blue")
    if spec.has_memory:
        notes["memory"] = StickyNote("Memory", MEMORY.format(host=host), "blue")
    deferred = {"deferred": StickyNote("Connect Glific first", DEFERRED.format(host=host), "blue")}
    return notes if spec.mode is Mode.SYNC else notes | deferred
