"""Keys with an address of their own: where questions go, and how other servers than OpenAI are treated."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from glific_gpt.calls import budget
from glific_gpt.calls.allowance import Allowance
from glific_gpt.calls.context import CallContext
from glific_gpt.calls.request import InboundCall
from glific_gpt.calls.tenant import find_tenant
from glific_gpt.clock import Deadline
from glific_gpt.database import transaction
from glific_gpt.models import prices
from glific_gpt.openai.hosts import region_url
from glific_gpt.organizations.credentials.tables import Credential
from tests.conftest import StartServer
from tests.support import openai_behaviours as behaviours
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MODEL = "Qwen/Qwen3-8B"
KEY = "a-key-of-this-server"


@pytest.fixture
def other(other_openai: OpenAIStandIn) -> OpenAIStandIn:
    """A server with the same API that is not OpenAI."""
    other_openai.models = [MODEL]
    return other_openai


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(openai_hosts="api.openai.com,*.api.openai.com,127.0.0.1")


@pytest.fixture
def alice(server: RunningServer, other: OpenAIStandIn) -> TestOrganization:
    """An organization with a model of its own."""
    alice = server.add_organization("alice", default_model=MODEL)
    alice.set_key(KEY, base_url=other.base_url)
    return alice


def test_a_question_goes_to_the_address_of_its_key_only(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, other: OpenAIStandIn
) -> None:
    require_ok(alice.ask())
    require_ok(bob.ask())
    assert [(sent.api_key, sent.model) for sent in other.requests] == [(KEY, MODEL)]
    assert [sent.api_key for sent in openai.requests] == [bob.key]
    alice.set_key("sk-proj-alice-0123456789-at-openai")
    require_ok(alice.ask("And now?", gpt_model="gpt-4o"))
    assert len(other.requests) == 1


def test_names_of_models_keep_their_capitals(alice: TestOrganization, other: OpenAIStandIn) -> None:
    alice.change(allowed_models=["qwen/*"])
    require_ok(alice.ask(gpt_model=MODEL))
    assert get_code(alice.ask(gpt_model="Llama-3")) == "model_not_allowed"
    assert [sent.model for sent in other.requests] == [MODEL]


def test_speech_models_are_refused_everywhere(alice: TestOrganization, other: OpenAIStandIn) -> None:
    for model in ("whisper-1", "sarvam-tts", "Bulbul-Voice"):
        assert get_code(alice.ask(gpt_model=model)) == "model_not_text"
    assert other.requests == []


def test_the_cost_is_unknown_even_for_names_of_openai(alice: TestOrganization, other: OpenAIStandIn) -> None:
    require_ok(alice.ask(gpt_model="gpt-4o"))
    (call,) = alice.calls()
    assert (call["model"], call["input_tokens"], call["cost_usd"]) == ("gpt-4o", 11, None)


def test_a_server_without_prices_cannot_be_used_under_a_budget(alice: TestOrganization, other: OpenAIStandIn) -> None:
    alice.change(monthly_budget_usd=Decimal(5))
    error = require_error(alice.ask(gpt_model="gpt-4o"), "budget_exceeded")
    assert error["error"].startswith("The prices of the server of this key are not known")
    assert other.requests == []


def test_an_unknown_model_names_the_server(alice: TestOrganization, other: OpenAIStandIn) -> None:
    other.always(behaviours.unknown_model())
    assert require_error(alice.ask(), "model_not_found")["error"] == (
        f"The server 127.0.0.1 has no model {MODEL} for this key. Choose one of its models."
    )


def test_a_refusal_for_safety_and_a_late_answer_name_the_server(
    start_server: StartServer, alice: TestOrganization, other: OpenAIStandIn
) -> None:
    other.always(lambda exchange: exchange.send_json(400, {"error": {"code": "content_filter", "message": "Filtered"}}))
    assert require_error(alice.ask(), "refused")["error"].startswith(
        "The server 127.0.0.1's safety system did not accept this question."
    )
    alice.server = start_server(openai_hosts="127.0.0.1", deadline_seconds=0.3)
    other.always(behaviours.never_respond())
    assert require_error(alice.ask(), "deadline_exceeded")["error"].startswith(
        "The server 127.0.0.1 did not answer in time."
    )


def test_the_fallback_model_is_asked_at_the_same_address(alice: TestOrganization, other: OpenAIStandIn) -> None:
    alice.change(fallback_model="Llama-3")
    other.will(behaviours.unknown_model())
    require_ok(alice.ask())
    assert [sent.model for sent in other.requests] == [MODEL, "Llama-3"]


def test_an_address_that_the_operator_no_longer_allows_is_not_used(
    start_server: StartServer, alice: TestOrganization, openai: OpenAIStandIn, other: OpenAIStandIn
) -> None:
    alice.server = start_server()
    error = require_error(alice.ask(), "invalid_api_key")
    assert error["error"].startswith("This server no longer allows the address to which this key is sent.")
    assert other.requests == openai.requests == []


def test_a_changed_address_in_the_database_does_not_redirect_a_key(
    alice: TestOrganization, openai: OpenAIStandIn, other: OpenAIStandIn
) -> None:
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Credential).values(base_url=f"{openai.base_url}/elsewhere"))
    require_ok(alice.ask())
    assert (len(other.requests), openai.requests) == (1, [])


def test_money_is_reserved_for_the_prices_of_a_region(
    server: RunningServer, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices, "surcharge", lambda _model, base_url: Decimal(2 if base_url else 1))
    bob.change(monthly_budget_usd=Decimal(100))
    admission, reserved = server.services.pipeline.admission, []
    inbound = InboundCall("parse_via_chat_gpt", b'{"question_text": "What is ORS?"}', Deadline.after(1))
    for base_url in (None, region_url("in")):
        bob.set_key(bob.key, base_url=base_url)
        with server.app.app_context():
            tenant = find_tenant("bob", "open_ai", bob.token)
            assert tenant
            context = CallContext(tenant.organization_id, inbound.function)
            parsed = admission.parse(tenant, inbound, context)
            context.allowance = Allowance(Decimal(1))  # as of a deferred call from before a change of the address
            admission.bind_model(tenant, context, inbound.deadline)
            assert context.allowance.base_url == context.base_url == base_url
            with transaction() as session:
                allowance = budget.reserve(session, tenant, context, parsed)
            assert allowance
            assert allowance.base_url == base_url
            reserved.append(allowance.reserved)
    assert reserved[1] == 2 * reserved[0]
