"""The function of the sample plugin appears on the pages and in the API document, because it describes itself."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from glific_gpt.functions.contract import Function
from tests.console.test_try_it import bubble, shown
from tests.console.test_use_in_glific import copied
from tests.console.users import ConsoleUser
from tests.support import http
from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.programs import ROOT
from tests.support.server import RunningServer, TestOrganization

ORGANIZATION = "/console/organizations/alice"


@pytest.fixture
def function(server: RunningServer) -> Function[Any]:
    """The function of the plugin, registered as if it were installed."""
    spec = spec_from_file_location("sample_plugin", ROOT / "tests" / "sample_plugin" / "glific_gpt_summarise.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    server.services.functions.add(module.function, "the sample plugin")
    function: Function[Any] = module.function
    return function


def test_it_can_be_tried(
    function: Function[Any], editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(answer("**Millet** needs little water."))
    page = f"{ORGANIZATION}/try-it?function=summarise"
    assert "Summarises a text in a few sentences." in editor.get(page).text
    assert "Longest summary, in sentences." in editor.get(page).text
    tried = editor.post(page, {"text": "Millet grows in dry soil.", "sentences": "3", "model": "gpt-4o"})
    assert bubble(tried) == "<b>Millet</b> needs little water."
    assert json.loads(shown(tried, "received"))["summary"] == "*Millet* needs little water."
    assert "at most 3 sentences" in str(openai.requests[0].body)


def test_its_node_can_be_copied(function: Function[Any], viewer: ConsoleUser, alice: TestOrganization) -> None:
    page = viewer.get(f"{ORGANIZATION}/use-in-glific/by-hand?function=summarise")
    assert copied(page, "url").endswith("/webhooks/alice/summarise")
    body = json.loads(copied(page, "body"))
    assert (body["text"], body["sentences"]) == ("@results.text_1.input", 1)
    assert "@results.gpt_response.summary" in page.text
    reply = alice.post(body | {"text": "Millet grows in dry soil.", "contact": {}, "results": {}}, function="summarise")
    assert reply.json()["characters"] == len("Millet grows in dry soil.")


def test_the_api_document_describes_it(function: Function[Any], server: RunningServer) -> None:
    document = http.get(f"{server.url}/api/openapi.json").json()
    operation = document["paths"]["/webhooks/{slug}/summarise"]["post"]
    assert (operation["summary"], operation["description"]) == (function.title, function.help)
    assert operation["requestBody"]["content"]["application/json"]["example"] == function.example
