"""What our flows say to people.

All that can be said again holds the number of the message, which is another one each time: Glific ends
a conversation in which one node has sent the same text more than three times within six hours.
No variable stands before a `.` or `-`: Glific would read on.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from glific_gpt.flows.building.spec import Mode, Wish

WELCOME = "Hello! What would you like to know? Type your question, or END to finish."
ANSWER = (
    "@results.gpt_response.parsed_msg\n\n_Question @results.n.input is answered. Type the next one, or END to finish._"
)
"""One message, as organizations pay for each."""
ROOM = 196
"""Characters that are left beside an answer, for staff to say more."""
NOT_TEXT = (
    "Message @results.n.input is not text, and I can read text only. Please type your question, or END to finish."
)
MOMENT = "One moment, please: question @results.n.input takes a little longer."
APOLOGY = (
    "Sorry, I could not answer question @results.n.input just now. Please ask again in a minute, or type END to finish."
)


def goodbye(keyword: str) -> str:
    """It is said once in a conversation."""
    return f"Thank you! Send {keyword} whenever you have another question."


@dataclass(frozen=True)
class Sticky:
    """Plain text; Glific's editor knows no links and no bold."""

    title: str
    body: str
    color: str = "yellow"


ABOUT = """\
Send {keyword} to start it: people type questions one after another, GPT answers each, END finishes.

The answers come from {host}, with your organization's own OpenAI key.

A flow that was just imported is a draft: send draft:{keyword} to try it, then publish it."""

CHANGE = """\
- What is said: all messages. Leave @results.n.input in them.

- In Call Webhook, under "POST Body": gpt_model is the model, prompt is what GPT should know and do. \
max_characters leaves room for what is said after an answer.

Leave the other lines as they are."""

BEARER = """\
Whoever can edit this flow can read the token in the headers of Call Webhook, and can spend your OpenAI credit with it.

If that is too many people: set the signature phrase that your organization has in Glific on {host} too, \
and take the line Authorization out of the headers."""

SIGNED = """\
There is no token in this flow. Glific signs its calls with the signature phrase of your organization, and {host} \
must know the same phrase.

Without a phrase of your own in Glific's settings, every call fails."""

LATER = """\
An answer that takes long comes later: the flow says so, and waits for it up to two minutes.

For this your Glific must be connected on {host}. Otherwise Call Webhook fails, and people read "Sorry"."""

STAYS = """\
- n counts the messages, and stands in the address and in the texts: Glific drops a call that it has made within \
the last minute, and ends a flow that says the same thing four times in six hours.

- Only "ok" may lead to the answer. Otherwise people are sent the name of a variable."""


def notes(wish: Wish) -> dict[str, Sticky]:
    """Each under its name on the map of the layout."""
    host = urlsplit(wish.way_in.url).hostname
    secret = SIGNED if wish.way_in.token is None else BEARER
    found = {
        "about": Sticky("What this flow does", ABOUT.format(keyword=wish.keyword, host=host)),
        "change": Sticky("What you can change", CHANGE, "green"),
        "secret": Sticky("Who is let in", secret.format(host=host), "purple"),
        "stays": Sticky("What must stay", STAYS, "gray"),
    }
    later = {"later": Sticky("Connect Glific first", LATER.format(host=host), "blue")}
    return found if wish.mode is Mode.SYNC else found | later
