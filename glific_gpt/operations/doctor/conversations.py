"""Test conversations: ask questions through a simulated flow, and recognize this server's errors in the replies."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from glific_gpt.calls import records
from glific_gpt.calls.timeline import error_class_of, find_timeline
from glific_gpt.database import transaction
from glific_gpt.errors import N_, NotFound
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.simulator import Conversation, WebhookCall
from glific_gpt.models import allowlist
from glific_gpt.operations.doctor.temporary_token import temporary_token
from glific_gpt.operations.ready_flows.simulation import create_simulation
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials import store as credentials
from glific_gpt.schemas import webhook_url
from glific_gpt.services import services

KEYWORD = "checkup"
RESULT_NAME = "gpt_response"
"""The result name in the flows that we build."""
MSG_UNKNOWN_ERROR = N_("The call failed. The list of calls shows the reason.")

# The format of `webhooks/responses.py`. Glific cuts long bodies off, so an error text counts only if it is complete.
_CALL_ID = re.compile(r'"call_id": ?"(\w+)"')
_ERROR_CODE = re.compile(r'"error_code": ?"(\w+)"')
_ERROR_TEXT = re.compile(r'"error": ?("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class TestConversation:
    """A conversation that has ended, with the result of the flow after each question."""

    conversation: Conversation
    results: list[dict[str, Any]]


def hold_conversation(slug: str, *questions: str, has_memory: bool = False) -> TestConversation:
    """Ask the questions through the flow of `flask flows export`. It ends with the first call that fails."""
    with transaction() as session:
        organization = store.find(session, slug)
        credential = credentials.find_or_none(session, organization.id, services().model_provider)
    base_url = credential.base_url if credential else None
    model = allowlist.canonical_id(organization.default_model or services().settings.default_model, base_url)
    url = webhook_url(services().settings.public_url, slug)
    results: list[dict[str, Any]] = []
    with temporary_token(slug) as token:
        endpoint = WebhookEndpoint(url, token)
        spec = FlowSpec(Mode.SYNC, "Check-up", KEYWORD, endpoint, model, has_memory=has_memory)
        conversation = create_simulation(slug, build_flow(spec))
        conversation.start(KEYWORD)
        for question in questions:
            conversation.send_text(question)
            results.append(conversation.results.get(RESULT_NAME, {}))
            _mark_as_test(slug, conversation.calls[-1], results[-1])
            if conversation.calls[-1].outcome != "Success":
                break
    return TestConversation(conversation, results)


def _mark_as_test(slug: str, call: WebhookCall, result: dict[str, Any]) -> None:
    """Mark the recorded call. Otherwise it would count as the first message from Glific."""
    in_error = _CALL_ID.search(call.error)
    call_id = in_error[1] if in_error else result.get("call_id")
    with transaction() as session:
        records.mark_test(session, store.find(session, slug).id, str(call_id))


def find_server_error(slug: str, call: WebhookCall) -> tuple[str, str] | None:
    """Return code and message of an error of this server; None if the reply is not its own.

    Only the beginning of the reply is known, as in Glific's Webhook Logs, and its keys may be in any order.
    """
    code_match, text_match = _ERROR_CODE.search(call.error), _ERROR_TEXT.search(call.error)
    code = code_match[1] if code_match else _recorded_error_code(slug, call)
    error_class = error_class_of(code)
    if not code or error_class is None:
        return None
    message = str(json.loads(text_match[1])) if text_match else error_class.default_message
    return code, message or MSG_UNKNOWN_ERROR


def _recorded_error_code(slug: str, call: WebhookCall) -> str | None:
    call_id = _CALL_ID.search(call.error)
    if call_id is None:
        return None
    with transaction() as session, suppress(NotFound):
        return find_timeline(session, store.find(session, slug).id, call_id[1]).call.error_code
    return None
