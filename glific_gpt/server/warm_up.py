"""Warming up: what the first call would otherwise wait for is loaded and compiled before a server listens."""

from contextlib import suppress

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from glific_gpt.calls import records, replays
from glific_gpt.calls import tenant as tenants
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.execution import success_outcome
from glific_gpt.calls.request import InboundCall, decode
from glific_gpt.clock import Deadline
from glific_gpt.database import prepare_writes
from glific_gpt.glific import text
from glific_gpt.models import prices
from glific_gpt.openai import replies
from glific_gpt.openai.chat import Usage
from glific_gpt.openai.requests import CHAT
from glific_gpt.settings import Settings
from glific_gpt.vault import Vault

NOBODY = 0
"""No organization's id."""

REPLY = b'{"model": "none", "choices": [{"message": {"content": "Warm."}}], "usage": {}}'


def warm_up(app: Flask, settings: Settings, vault: Vault) -> None:
    facts = CallContext(NOBODY, "parse_via_chat_gpt")
    inbound = InboundCall(facts.function, b"", Deadline.after(1), idempotency_key="nobody's")
    answer = success_outcome(facts.call_id, settings.default_model, text.for_whatsapp("**Warm.**"))
    decode(b"{}")
    prices.cost(settings.default_model, 1, 1)
    replies.read(CHAT, REPLY, settings.default_model, Usage())
    # Flask compiles the patterns of addresses when the first one is looked for. What is wrong with the database is told
    # to a first call, as to any other.
    with app.test_request_context(f"/webhooks/nobody/{facts.function}", method="POST"), suppress(SQLAlchemyError):
        tenants.find_tenant("nobody", "open_ai", "")
        replays.find_stored(vault, NOBODY, inbound)
        prepare_writes(
            records.insert_statement(facts, 1),
            records.finish_statement(facts, None),
            *replays.claim_statements(NOBODY, inbound, facts.call_id),
            *replays.store_statements(vault, NOBODY, inbound, answer),
        )
