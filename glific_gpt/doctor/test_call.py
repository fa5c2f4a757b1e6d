"""What the doctor's own call says of the server, the proxy before it, and the organization."""

import json
import re
from contextlib import suppress
from dataclasses import replace

from glific_gpt.calls.timeline import error_class_of, find_timeline
from glific_gpt.database import transaction
from glific_gpt.doctor.findings import Finding, Verdict
from glific_gpt.doctor.temporary_token import lent
from glific_gpt.errors import N_, DeadlineExceeded, NotFound
from glific_gpt.flows.building import Mode, Wish, make
from glific_gpt.flows.simulator import Conversation, WebhookCall
from glific_gpt.flows.webhook_auth import WayIn
from glific_gpt.models import allowlist
from glific_gpt.organizations import store
from glific_gpt.ready_flows.dry_run import rehearsal
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

NAME = "call"
RESULT = "gpt_response"
"""As the flow that is made names it."""
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
SOMEBODY_ELSE = N_("Something else than this server answered the call at %(url)s (with status %(status)s).")
BEFORE = N_("Something before this server answered the call at %(url)s with status %(status)s.")
LET_PASS = N_("Have it pass on calls to this address as they come, and the answers as they are.")
REDIRECTED = N_(
    "The call to %(url)s was redirected (status %(status)s), which Glific does not follow and takes for a failure."
)
SET_ADDRESS = N_("Correct the address that the server is told it has, or the proxy before it.")
NOT_SENT = N_("An answer came from %(url)s, but the flow could not send it: the conversation says why.")
NO_ANSWER = N_("No whole answer came from %(url)s within the 5 seconds that Glific waits.")
LOOK_AT_PROXY = N_("Look at the server's log, and at the proxy before it.")
LOOK_AT_CALL = N_("Do what this sentence says. The call is on the list of calls, too.")

UNKNOWN = N_("The call failed; its page on the list of calls says why.")

# As `webhooks/replies.py` writes them; a sentence only where all of it is there.
_CALL_ID = re.compile(r'"call_id": ?"(\w+)"')
_CODE = re.compile(r'"error_code": ?"(\w+)"')
_SENTENCE = re.compile(r'"error": ?("(?:[^"\\]|\\.)*")')


def judged(slug: str, conversation: Conversation) -> Finding:
    """Of a conversation in which one question was asked."""
    call = conversation.calls[-1]
    if call.outcome == "Success":
        return _answered(slug, conversation, call)
    error = _error(slug, call)
    if error is None or call.status == 401:
        return _not_ours(slug, call)
    listed = f"flask calls list {slug} --limit 1"
    remedy = FASTER if error[0] == DeadlineExceeded.code else LOOK_AT_CALL
    return Finding(NAME, Verdict.PROBLEM, error[1], remedy, command=listed, error_code=error[0])


def _answered(slug: str, conversation: Conversation, call: WebhookCall) -> Finding:
    """Only what this server has written down is an answer of its own, and only what was sent has an NGO helped."""
    result = conversation.results.get(RESULT, {})
    if result.get("status") != "ok" or not _is_recorded(slug, str(result.get("call_id"))):
        return _problem(slug, SOMEBODY_ELSE, SET_ADDRESS, call)
    if not any(str(result.get("parsed_msg")) in message for message in conversation.messages):
        return _problem(slug, NOT_SENT, LOOK_AT_PROXY, call)
    values = {"seconds": f"{call.seconds:.1f}"}
    if call.seconds < LATE_SECONDS:
        return Finding(NAME, Verdict.OK, ANSWERED, values=values)
    return Finding(NAME, Verdict.WARNING, LATE, FASTER, values)


def _not_ours(slug: str, call: WebhookCall) -> Finding:
    """Whose answer it was, if it was one."""
    if call.status is None:
        return _problem(slug, NO_ANSWER, LOOK_AT_PROXY, call)
    if call.status == 401:
        return _problem(slug, STRANGER, CORRECT, call)
    if 300 <= call.status < 400:
        return _problem(slug, REDIRECTED, SET_ADDRESS, call)
    return _problem(slug, BEFORE, LET_PASS, call)


def _problem(slug: str, says: str, remedy: str, call: WebhookCall) -> Finding:
    url = webhook_url(services().settings.public_url, slug)
    return Finding(NAME, Verdict.PROBLEM, says, remedy, {"url": url, "status": call.status})


def _error(slug: str, call: WebhookCall) -> tuple[str, str] | None:
    """Code and sentence of what this server answered; Glific's Webhook Logs show its beginning, in either order."""
    code, sentence = _CODE.search(call.error), _SENTENCE.search(call.error)
    known = code[1] if code else _recorded(slug, call)
    error = error_class_of(known)
    if not known or error is None:
        return None
    said = str(json.loads(sentence[1])) if sentence else error.sentence
    return known, said or UNKNOWN


def _recorded(slug: str, call: WebhookCall) -> str | None:
    call_id = _CALL_ID.search(call.error)
    if call_id is None:
        return None
    with transaction() as session, suppress(NotFound):
        return find_timeline(session, store.find(session, slug).id, call_id[1]).call.error_code
    return None


def _is_recorded(slug: str, call_id: str) -> bool:
    with transaction() as session, suppress(NotFound):
        return bool(find_timeline(session, store.find(session, slug).id, call_id))
    return False


KEYWORD = "checkup"
QUESTION = "How much is two and two? Answer in one short sentence."


def look(slug: str) -> Finding:
    conversation = _held(slug)
    finding = judged(slug, conversation)
    return replace(finding, conversation=conversation.transcript(), lines=tuple(conversation.lines))


def _held(slug: str) -> Conversation:
    with transaction() as session:
        row = store.find(session, slug)
    model = allowlist.canonical(row.default_model or services().settings.default_model)
    url = webhook_url(services().settings.public_url, slug)
    with lent(slug) as token:
        wish = Wish(mode=Mode.SYNC, name="Check-up", keyword=KEYWORD, way_in=WayIn(url, token), model=model)
        conversation = rehearsal(slug, make(wish))
        conversation.start(KEYWORD)
        conversation.say(QUESTION)
    return conversation
