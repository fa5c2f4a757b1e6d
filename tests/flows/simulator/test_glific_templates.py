"""The flows with pictures and documents that Glific gives to new organizations, converted, against the real server."""

import json

import pytest
from pydantic import SecretStr

from glific_gpt.flows.converting import Conversion, ModelRules, convert
from glific_gpt.flows.endpoint import WebhookEndpoint
from glific_gpt.flows.files import parse_export
from glific_gpt.flows.simulator import Conversation
from tests.flows import glific_templates
from tests.flows.exports import Json, action_of, to_file_text
from tests.flows.simulator.conversations import simulate
from tests.support.openai_behaviours import answer, out_of_credit
from tests.support.openai_pictures import find_pictures
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PICTURE = "https://media.example.org/field.jpg"


def convert_for(organization: TestOrganization, exported: Json, store: str = "") -> Conversion:
    """Convert an export that was read from its file."""
    endpoint = WebhookEndpoint(organization.url, SecretStr(organization.token))
    return convert(parse_export(to_file_text(exported)), endpoint, models=ModelRules(vector_store_id=store))


def start(conversion: Conversion) -> Conversation:
    conversation = simulate(conversion.export)
    conversation.start(glific_templates.KEYWORD)
    return conversation


def test_the_picture_flow_describes_a_picture_after_a_text(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("A **field** of millet."))
    conversion = convert_for(alice, glific_templates.picture_export())
    assert [note.node.result_name for note in conversion.changed] == ["gptvision"]
    conversation = start(conversion)
    conversation.send_text("Here it is.")
    conversation.send_image(PICTURE)
    assert conversation.messages[1:] == ["Send a picture only.", "One moment.", "A *field* of millet."]
    assert (conversation.problems, conversation.ended) == ([], True)
    assert [find_pictures(request) for request in openai.requests] == [[PICTURE]]
    assert "Describe the field" in json.dumps(openai.requests[0].body)


def test_the_picture_flow_apologizes_after_a_failure(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(out_of_credit())
    conversation = start(convert_for(alice, glific_templates.picture_export()))
    conversation.send_image(PICTURE)
    assert (conversation.messages[-1], conversation.problems) == ("Sorry.", [])


def test_the_document_flow_remembers_its_first_question(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.search("In May 【4:0†source】.")
    store = openai.documents.add_store(alice.key, "rules.pdf")
    conversion = convert_for(alice, glific_templates.document_export(), store)
    conversation = start(conversion)
    for question in ("When do we sow?", "And how?"):
        conversation.send_text(question)
    assert conversation.messages[1:] == ["One moment.", "In May.", "One moment.", "In May."]
    assert (conversation.problems, conversation.ended) == ([], True)
    last = openai.requests[-1].body
    assert [message["content"] for message in last["input"]] == ["When do we sow?", "In May.", "And how?"]
    assert last["tools"][0]["vector_store_ids"] == [store]


def test_the_document_flow_keeps_its_voice_nodes(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    exported = glific_templates.document_export()
    conversion = convert_for(alice, exported)
    (kept,) = conversion.unchanged
    assert kept.message == "voice-filesearch-gpt still calls Glific: this server does not process speech."
    assert action_of(conversion.export, "call voice") == action_of(exported, "call voice")
    conversation = start(conversion)
    conversation.send_audio()
    assert openai.requests == []


def test_the_document_flow_says_which_assistant_has_no_documents_here(alice: TestOrganization) -> None:
    conversion = convert_for(alice, glific_templates.document_export())
    about_stores = [note for note in conversion.warnings if "vector store" in note.message]
    assert [note.node.result_name for note in about_stores] == ["gpt_search", "gpt_search_2"]
    assert glific_templates.ASSISTANT in about_stores[0].message
