"""Check everything together with one real call, which shows problems of the server, its proxy and the organization."""

from contextlib import suppress
from dataclasses import replace

from glific_gpt.calls.timeline import find_timeline
from glific_gpt.database import transaction
from glific_gpt.errors import N_, DeadlineExceeded, NotFound
from glific_gpt.flows.simulator import Conversation, WebhookCall
from glific_gpt.flows.suspicious_code import find_suspicious_code
from glific_gpt.operations.doctor.conversations import RESULT_NAME, find_server_error, hold_conversation
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

QUESTION = "How much is two and two? Answer in one short sentence."
SLOW_ANSWER_SECONDS = 4.0
"""Glific waits 5 seconds; a call that takes this long may fail next time."""

MSG_ANSWERED = N_("The answer came after %(seconds)s seconds. Glific waits 5 seconds.")
MSG_SLOW = N_("The answer came after %(seconds)s seconds, which is close to Glific's limit of 5 seconds.")
REMEDY_FASTER = N_("Use a faster model, or let answers come later (auto).")
MSG_NOT_AUTHENTICATED = N_("The server at %(url)s does not accept the organization's own token or signature.")
REMEDY_PROXY_HEADERS = N_(
    "The address may lead to another server, or a proxy changes the headers or the body. Correct the address or the "
    "proxy."
)
MSG_FOREIGN_ANSWER = N_("A different server answered the call to %(url)s (status %(status)s).")
MSG_PROXY_ANSWER = N_("A proxy in front of this server answered the call to %(url)s with status %(status)s.")
REMEDY_PROXY = N_("Configure the proxy to forward calls and answers unchanged.")
MSG_REDIRECTED = N_("The call to %(url)s was redirected (status %(status)s). Glific does not follow redirects.")
REMEDY_ADDRESS = N_("Correct GLIFIC_GPT_PUBLIC_URL, or the proxy in front of the server.")
MSG_NOT_SENT = N_("An answer came from %(url)s, but the flow could not send it. The conversation shows the reason.")
MSG_SUSPICIOUS = N_(
    'The answer from %(url)s has "%(code)s". Glific takes this for suspicious code, and a flow that stores the answer '
    "stores a warning in place of it."
)
REMEDY_UNCHANGED = N_("Check whether a proxy changes answers, or an old version of this server answers.")
MSG_NO_ANSWER = N_("There was no complete answer from %(url)s within Glific's 5 seconds.")
REMEDY_LOG = N_("Check the server's log, and the proxy in front of the server.")
REMEDY_CALL = N_("Follow this advice. The list of calls has more details.")


def check_call(slug: str) -> CheckResult:
    """Ask one question through a simulated flow, and evaluate the conversation."""
    conversation = hold_conversation(slug, QUESTION).conversation
    result = _evaluate(slug, conversation)
    return replace(result, transcript=conversation.transcript(), lines=tuple(conversation.lines))


def _evaluate(slug: str, conversation: Conversation) -> CheckResult:
    call = conversation.calls[-1]
    if call.outcome == "Success":
        return _evaluate_answer(slug, conversation, call)
    error = find_server_error(slug, call)
    if error is None or call.status == 401:
        return _evaluate_foreign_reply(slug, call)
    code, message = error
    remedy = REMEDY_FASTER if code == DeadlineExceeded.code else REMEDY_CALL
    command = f"flask calls list {slug} --limit 1"
    return CheckResult("call", CheckStatus.PROBLEM, message, remedy, command=command, error_code=code)


def _evaluate_answer(slug: str, conversation: Conversation, call: WebhookCall) -> CheckResult:
    """Check that the answer is this server's own, which it has recorded, and that the contact received it."""
    result = conversation.results.get(RESULT_NAME, {})
    if result.get("status") != "ok" or not _is_recorded(slug, str(result.get("call_id"))):
        return _problem(slug, MSG_FOREIGN_ANSWER, REMEDY_ADDRESS, call)
    if not any(str(result.get("parsed_msg")) in message for message in conversation.messages):
        return _problem(slug, MSG_NOT_SENT, REMEDY_LOG, call)
    if suspicious := find_suspicious_code(str(result.get("parsed_msg"))):
        values = {"url": webhook_url(services().settings.public_url, slug), "code": suspicious[0]}
        return CheckResult("call", CheckStatus.WARNING, MSG_SUSPICIOUS, REMEDY_UNCHANGED, values)
    values = {"seconds": f"{call.seconds:.1f}"}
    if call.seconds < SLOW_ANSWER_SECONDS:
        return CheckResult("call", CheckStatus.OK, MSG_ANSWERED, values=values)
    return CheckResult("call", CheckStatus.WARNING, MSG_SLOW, REMEDY_FASTER, values)


def _evaluate_foreign_reply(slug: str, call: WebhookCall) -> CheckResult:
    """Evaluate a failure that this server has not caused."""
    if call.status is None:
        return _problem(slug, MSG_NO_ANSWER, REMEDY_LOG, call)
    if call.status == 401:
        return _problem(slug, MSG_NOT_AUTHENTICATED, REMEDY_PROXY_HEADERS, call)
    if 300 <= call.status < 400:
        return _problem(slug, MSG_REDIRECTED, REMEDY_ADDRESS, call)
    return _problem(slug, MSG_PROXY_ANSWER, REMEDY_PROXY, call)


def _problem(slug: str, message: str, remedy: str, call: WebhookCall) -> CheckResult:
    url = webhook_url(services().settings.public_url, slug)
    return CheckResult("call", CheckStatus.PROBLEM, message, remedy, {"url": url, "status": call.status})


def _is_recorded(slug: str, call_id: str) -> bool:
    with transaction() as session, suppress(NotFound):
        return bool(find_timeline(session, store.find(session, slug).id, call_id))
    return False
