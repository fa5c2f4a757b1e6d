"""Models of speech are never asked: by no function, in no mode, at no server, and by no setting."""

import pytest
import sqlalchemy as sa

from glific_gpt.database import transaction
from glific_gpt.organizations.credentials.reachable_models import evaluate_models
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from tests.conftest import StartServer
from tests.support import openai_behaviours as behaviours
from tests.support.deferred import create_connected_organization, pending_call_id
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import get_code, require_ok

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BODIES = {
    "parse_via_chat_gpt": {"question_text": "What is ORS?"},
    "parse_via_gpt_vision": {"url": "https://media.example.org/field.jpg", "prompt": "What is it?"},
    "filesearch-gpt": {"question": "What is ORS?", "vector_store_id": "vs_1"},
}
SPEECH = (
    *("tts-1", "gpt-4o-mini-tts", "whisper-1", "gpt-4o-transcribe", "gpt-audio", "gpt-realtime", "gpt-live-1"),
    *("bulbul:v2", "saarika:v2.5", "hexgrad/Kokoro-82M", "mistralai/Voxtral-Mini-3B-2507"),
)
FLOW = {"contact": {"id": 21}, "flow_id": "5", "organization_id": 17}


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(openai_hosts="api.openai.com,127.0.0.1")


@pytest.fixture(params=["OpenAI", "another server"])
def upstream(
    request: pytest.FixtureRequest, alice: TestOrganization, openai: OpenAIStandIn, other_openai: OpenAIStandIn
) -> OpenAIStandIn:
    """The server of the key."""
    if request.param == "OpenAI":
        return openai
    other_openai.models = [*SPEECH]
    alice.set_key("a-key-of-this-server", base_url=other_openai.base_url)
    return other_openai


def store(organization: TestOrganization, **settings: str | list[str]) -> None:
    """Write settings past their validation, as a release without it could have done."""
    with organization.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Organization).where(Organization.slug == organization.slug).values(**settings))


def paid_requests(upstream: OpenAIStandIn) -> list[str]:
    return [request.path for request in upstream.requests if request.path != "/v1/models"]


@pytest.mark.parametrize("function", BODIES)
def test_no_function_asks_one_in_any_mode(
    alice: TestOrganization, upstream: OpenAIStandIn, glific: GlificStandIn, function: str
) -> None:
    alice.connect(glific)
    alice.change(allowed_models=["*", *SPEECH])
    for model in SPEECH:
        for query in ("", "?mode=async", "?mode=auto"):
            body = {**BODIES[function], **FLOW, "gpt_model": model}
            assert get_code(alice.post(body, function=function, query=query)) == "model_not_text", (model, query)
    assert paid_requests(upstream) == []


@pytest.mark.parametrize("function", BODIES)
def test_a_stored_setting_cannot_choose_one(
    alice: TestOrganization, upstream: OpenAIStandIn, glific: GlificStandIn, function: str
) -> None:
    alice.connect(glific)
    for model in ("tts-1", "saarika:v2.5"):
        store(alice, default_model=model)
        assert get_code(alice.post(BODIES[function], function=function)) == "model_not_text"
        assert get_code(alice.post(BODIES[function] | FLOW, function=function, query="?mode=async")) == "model_not_text"
    assert paid_requests(upstream) == []


@pytest.mark.parametrize("function", ["parse_via_chat_gpt", "parse_via_gpt_vision"])
def test_it_is_no_fallback(alice: TestOrganization, upstream: OpenAIStandIn, function: str) -> None:
    upstream.always(behaviours.unknown_model())
    for model in ("gpt-4o-audio-preview", "bulbul:v2"):
        store(alice, fallback_model=model)
        body = BODIES[function] | {"gpt_model": "gpt-4o"}
        assert get_code(alice.post(body, function=function)) == "model_not_found"
    assert {request.model for request in upstream.requests if request.path != "/v1/models"} == {"gpt-4o"}


def test_a_deferred_call_does_not_ask_one_that_was_chosen_since(
    server_with_worker: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    alice = create_connected_organization(server_with_worker, glific)
    asked = behaviours.rate_limit("1")

    def change_and_refuse(exchange: Exchange) -> None:
        store(alice, fallback_model="gpt-audio", default_model="tts-1")
        asked(exchange)

    openai.will(change_and_refuse, behaviours.answer("Salt."))
    call_id = pending_call_id(alice.ask_deferred(gpt_model="gpt-4o"))
    assert alice.wait_for_delivery(call_id).state == "delivered"
    assert {request.model for request in openai.requests} == {"gpt-4o"}


def test_the_list_of_another_server_offers_none(alice: TestOrganization, other_openai: OpenAIStandIn) -> None:
    other_openai.models = [*SPEECH, "sarvam-m"]
    alice.set_key("a-key-of-this-server", base_url=other_openai.base_url)
    with alice.server.app.app_context(), transaction() as session:
        session.execute(sa.update(Credential).values(models=other_openai.models))
        listed = evaluate_models(session.scalars(sa.select(Credential)).one(), ["*"], None, ["*", *SPEECH])
    assert [model.id for model in listed if model.refusal is None] == ["sarvam-m"]
    alice.change(default_model="sarvam-m")
    require_ok(alice.ask())
    for model in SPEECH:
        assert get_code(alice.ask(gpt_model=model)) == "model_not_text"
    assert [request.model for request in other_openai.requests] == ["sarvam-m"]


def test_fields_of_speech_are_not_passed_on(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    speech = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}, "voice": "alloy"}
    speech |= {"input_audio": {"data": "UklGRg==", "format": "wav"}, "speech": "https://media.example.org/voice.ogg"}
    for function, body in BODIES.items():
        alice.post(body | speech, function=function)
    assert len(openai.requests) == len(BODIES)
    assert all("audio" not in str(request.body) and "voice" not in str(request.body) for request in openai.requests)
    assert {request.path for request in openai.requests} == {"/v1/chat/completions", "/v1/responses"}
