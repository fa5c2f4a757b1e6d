"""Does a question get its answer? One real call, made by the flow that `flask flows export` makes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from pydantic import SecretStr

from glific_gpt.calls.story import error_of, find
from glific_gpt.catalogue import policy
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.errors import N_, NotFound
from glific_gpt.flows.making import Mode, Wish, make
from glific_gpt.flows.way_in import WayIn
from glific_gpt.organizations import store, webhook_tokens
from glific_gpt.ready_flows.rehearsing import rehearsal
from glific_gpt.services import services
from glific_gpt.simulator import Conversation, WebhookCall
from glific_gpt.views import webhook_url

NAME = "call"
KEYWORD = "checkup"
QUESTION = "How much is two and two? Answer in one short sentence."
LABEL = "check-up, revoked at its end"
LATE_SECONDS = 4.0
"""Of Glific's five; whoever is that late today fails tomorrow."""

ANSWERED = N_("The answer came after %(seconds)s seconds; Glific waits 5.")
LATE = N_("The answer came after %(seconds)s seconds, which is close to the 5 that Glific waits.")
FASTER = N_("Use a faster model, or let answers come later (auto).")
STRANGER = N_("The server at %(url)s does not know the organization's own token or signature.")
CORRECT = N_(
    "Either the address leads to another server, or a proxy before it does not pass on the headers and the body as "
    "they are."
)
NO_ANSWER = N_("No whole answer came from %(url)s within the 5 seconds that Glific waits.")
LOOK_AT_PROXY = N_("Look at the server's log, and at the proxy before it.")
LOOK_AT_CALL = N_("Do what this sentence says. The call is on the list of calls, too.")

UNKNOWN = N_("The call failed; its page on the list of calls says why.")

# As `webhooks/replies.py` writes them; a sentence only where all of it is there.
_CALL_ID = re.compile(r'"call_id": "(\w+)"')
_CODE = re.compile(r'"error_code": "(\w+)"')
_SENTENCE = re.compile(r'"error": ("(?:[^"\\]|\\.)*")')


def look(slug: str) -> Finding:
    conversation = _held(slug)
    finding = _judged(slug, conversation)
    return replace(finding, conversation=conversation.transcript(), lines=tuple(conversation.lines))


def _held(slug: str) -> Conversation:
    with transaction() as session:
        row = store.find(session, slug)
    model = policy.canonical(row.default_model or services().settings.default_model)
    with _way_in(slug) as way_in:
        wish = Wish(mode=Mode.SYNC, name="Check-up", keyword=KEYWORD, way_in=way_in, model=model)
        conversation = rehearsal(slug, make(wish))
        conversation.start(KEYWORD)
        conversation.say(QUESTION)
    return conversation


@contextmanager
def _way_in(slug: str) -> Iterator[WayIn]:
    """With a token that opens nothing any more when it is over; with the signature where that is required."""
    url = webhook_url(services().settings.public_url, slug)
    with transaction() as session:
        row = store.find(session, slug)
        made = None if row.require_signature else webhook_tokens.create(session, row, LABEL)
    if made is None:
        yield WayIn(url, None)
        return
    token, secret = made
    try:
        yield WayIn(url, SecretStr(secret))
    finally:
        with transaction() as session:
            webhook_tokens.revoke(session, store.find(session, slug), token.id)


def _judged(slug: str, conversation: Conversation) -> Finding:
    url = webhook_url(services().settings.public_url, slug)
    call = conversation.calls[-1]
    if call.outcome == "Success":
        verdict, says, remedy = (
            (Verdict.OK, ANSWERED, "") if call.seconds < LATE_SECONDS else (Verdict.WARNING, LATE, FASTER)
        )
        return Finding(NAME, verdict, says, remedy, {"seconds": f"{call.seconds:.1f}"})
    if call.status == 401:
        return Finding(NAME, Verdict.PROBLEM, STRANGER, CORRECT, {"url": url})
    error = _error(slug, call)
    if error is None:
        return Finding(NAME, Verdict.PROBLEM, NO_ANSWER, LOOK_AT_PROXY, {"url": url})
    listed = f"flask calls list {slug} --limit 1"
    return Finding(NAME, Verdict.PROBLEM, error[1], LOOK_AT_CALL, command=listed, error_code=error[0])


def _error(slug: str, call: WebhookCall) -> tuple[str, str] | None:
    """Code and sentence of what this server answered; Glific's Webhook Logs show its beginning, in either order."""
    code, sentence = _CODE.search(call.error), _SENTENCE.search(call.error)
    known = code[1] if code else _recorded(slug, call)
    if sentence is not None:
        return known or "", str(json.loads(sentence[1]))
    error = error_of(known)
    return (known, error.sentence or UNKNOWN) if known and error else None


def _recorded(slug: str, call: WebhookCall) -> str | None:
    call_id = _CALL_ID.search(call.error)
    if call_id is None:
        return None
    with transaction() as session, suppress(NotFound):
        return find(session, store.find(session, slug).id, call_id[1]).call.error_code
    return None
