"""A sample organization with members, tokens, a key and two months of calls."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations import store, tokens
from glific_gpt.organizations.credentials import store as credentials
from tests.support.server import RunningServer, TestOrganization

MODELS = ("gpt-4o-mini", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "gpt-5-mini")
MEMBERS = {"meena": Role.OWNER, "ravi": Role.EDITOR, "tara": Role.VIEWER}
ERRORS = ("deadline_exceeded", "deadline_exceeded", "rate_limited", "empty_question", "upstream_error")


def create_sample_organization(server: RunningServer, *, calls_a_day: int = 12, days: int = 60) -> TestOrganization:
    """Create the organization. The random numbers are the same in every run."""
    test_organization = server.add_organization("seva-trust")
    _save_key(server, test_organization)
    test_organization.change(name="Seva Trust", allowed_models=["gpt-4o*", "gpt-5-mini"], default_model="gpt-4o-mini")
    chance = random.Random(7)  # noqa: S311 - nothing is secret here
    with server.app.app_context(), transaction() as session:
        organization = store.find(session, test_organization.slug)
        tokens.create_webhook_token(session, organization, "Farmers' helpline")
        for name, role in MEMBERS.items():
            people.add_member(session, organization.id, f"{name}@seva-trust.example.org", role)
        moments = (
            now() - timedelta(days=day, minutes=chance.randrange(1, 1000))
            for day in range(days, -1, -1)
            for _ in range(chance.randrange(calls_a_day // 2, calls_a_day * 2))
        )
        session.add_all(_create_call(chance, organization.id, at) for at in sorted(moments))
    return test_organization


def _save_key(server: RunningServer, test_organization: TestOrganization) -> None:
    """Save the key with verification, as members do in the console."""
    with server.app.app_context():
        app = server.services
        values = {"api_key": SecretStr(test_organization.key)}
        credentials.save_credential(
            app.vault, test_organization.slug, app.model_provider, values, is_active=True, verify=True
        )


def _create_call(chance: random.Random, organization_id: int, at: datetime) -> Call:
    failed = chance.random() < 0.04
    model = chance.choice(MODELS)
    tokens: dict[str, Any] = {}
    if not failed:
        tokens = {
            "input_tokens": chance.randrange(80, 900),
            "output_tokens": chance.randrange(40, 400),
            "cost_usd": Decimal(chance.randrange(50, 4000)) / 1_000_000,
        }
    return Call(
        call_id=f"call_{chance.getrandbits(96):024x}",
        organization_id=organization_id,
        function="parse_via_chat_gpt",
        model_asked=model,
        model_used=None if failed else model,
        status="error" if failed else "ok",
        error_code=chance.choice(ERRORS) if failed else None,
        started_at=at,
        give_up_at=at + timedelta(seconds=7),
        duration_ms=int(chance.lognormvariate(7.3, 0.45)),
        contact_id=chance.randrange(100, 400),
        flow_id=5,
        **tokens,
    )
