"""Warm up: load and compile what the first call would otherwise wait for, before the server answers."""

from contextlib import suppress

from flask import Flask
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.calls import records, replays
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import success_outcome
from glific_gpt.calls.request import InboundCall, decode_object
from glific_gpt.clock import Deadline
from glific_gpt.database import precompile
from glific_gpt.functions import parse_via_chat_gpt
from glific_gpt.functions.contract import FunctionAnswer
from glific_gpt.glific import text
from glific_gpt.models import prices
from glific_gpt.openai import response_bodies
from glific_gpt.openai.chat import Tokens, Usage
from glific_gpt.openai.request_bodies import CHAT_PATH
from glific_gpt.organizations.credentials.providers import OpenAiFields
from glific_gpt.services import Services

NO_ORGANIZATION = 0
"""An id that no organization has."""

SAMPLE_KEY = SecretStr("sk-no-organization")
SAMPLE_REPLY = b'{"model": "none", "choices": [{"message": {"content": "Warm."}}], "usage": {}}'


def warm_up(app: Flask, app_services: Services) -> None:
    """Run the steps of a call once, without writing a row and without asking OpenAI.

    A database that cannot be reached is ignored here: the first call reports it, like every other call.
    """
    settings, vault = app_services.settings, app_services.vault
    context = CallContext(NO_ORGANIZATION, parse_via_chat_gpt.function.name)
    inbound = InboundCall(context.function, b"", Deadline.after(1), idempotency_key="warm-up")
    formatted = FunctionAnswer(text.format_for_whatsapp("**Warm.** &amp; [a](b)"))
    answer = success_outcome(context.call_id, settings.default_model, formatted)
    decode_object(b"{}")
    prices.calculate_cost(settings.default_model, Tokens(1, 1))
    # This loads the openai library.
    app_services.model_provider.bind(OpenAiFields(api_key=SAMPLE_KEY), settings.default_model, Deadline.after(1))
    response_bodies.parse_answer(CHAT_PATH, SAMPLE_REPLY, settings.default_model, Usage())
    # Matching a URL makes Werkzeug compile its routing rules.
    with app.test_request_context(f"/webhooks/nobody/{context.function}", method="POST"), suppress(SQLAlchemyError):
        tenants.find_tenant("nobody", "open_ai", "")
        replays.find_stored(vault, NO_ORGANIZATION, inbound)
        precompile(
            records.insert_statement(context, 1),
            records.finish_statement(context, None),
            *replays.claim_statements(NO_ORGANIZATION, inbound, context.call_id),
            *replays.store_statements(vault, NO_ORGANIZATION, inbound, answer),
        )
