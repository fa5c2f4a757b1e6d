"""The server loads and compiles what a call needs before it answers the first one."""

from collections.abc import Iterator

import pytest

from glific_gpt.database import compiled
from glific_gpt.operations import worker
from glific_gpt.server.asgi import AsgiBridge
from glific_gpt.server.serving_process import create_asgi_app
from glific_gpt.services import services
from glific_gpt.settings import Settings
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer
from tests.support.serving_in_process import serve
from tests.support.settings import create_settings


@pytest.fixture
def settings(database_url: str, openai: OpenAIStandIn) -> Settings:
    return create_settings(database_url=database_url, openai_base_url=openai.base_url, worker="separate")


@pytest.fixture
def shipped_app(settings: Settings) -> Iterator[AsgiBridge]:
    """The app of a server process, as it is just before the first request."""
    compiled._cache.clear()
    created = create_asgi_app(settings)
    yield created
    worker.stop_worker(created._app)


def test_the_first_call_compiles_no_statement(shipped_app: AsgiBridge, openai: OpenAIStandIn) -> None:
    warm = set(compiled._cache)
    assert warm
    openai.always(answer("Salt."))
    with serve(shipped_app._app) as url:
        alice = RunningServer(shipped_app._app, url).add_organization("alice")
        reply = alice.post({"question_text": "What is ORS?"}, headers={"Idempotency-Key": "first"})
    assert reply.json()["parsed_msg"] == "Salt."
    assert set(compiled._cache) == warm


def test_the_first_call_does_not_create_the_openai_client(shipped_app: AsgiBridge) -> None:
    with shipped_app._app.app_context():
        assert "gateway" in vars(services().model_provider)
