"""The English texts of built flows."""

from glific_gpt.flows.building.texts.texts import NoteText, Texts

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

ENGLISH = Texts(
    prompt="Answer in less than 5 sentences, in the language of the question.",
    documents_prompt="Answer from the documents, in less than 5 sentences and in the language of the question.",
    exit_words=("end",),
    welcome="Hello! What would you like to know? Type your question. To finish, type END.",
    answer="@results.gpt_response.parsed_msg\n\n_Type your next question, or END to finish. (no. @results.n.input)_",
    not_text="Please type your question. I cannot read photos or voice yet. (no. @results.n.input)",
    wait_notice="One moment, please. I am looking for an answer. (no. @results.n.input)",
    apology="Sorry, I could not answer. Please ask again in a minute, or type END. (no. @results.n.input)",
    goodbye="Thank you! Send {keyword} to ask again.",
    about=NoteText("What this flow does", ABOUT),
    change=NoteText("You can change", CHANGE),
    memory=NoteText("Memory", MEMORY),
    documents=NoteText("Documents", DOCUMENTS),
    bearer_auth=NoteText("How this flow signs in", BEARER_AUTH),
    signature_auth=NoteText("How this flow signs in", SIGNATURE_AUTH),
    deferred=NoteText("Connect Glific first", DEFERRED),
    keep=NoteText("Do not change", KEEP),
)
