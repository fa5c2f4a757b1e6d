"""The function filesearch-gpt: answers from documents at the organization's own OpenAI account."""

from typing import Any

import httpx2
import pytest

from tests.support import http
from tests.support.deferred import (
    create_connected_organization,
    pending_call_id,
    resumed_result,
    start_worker_in_process,
)
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_behaviours import answer, unsupported
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization
from tests.webhooks.assertions import ERROR_KEYS, get_code

QUESTION = "When can I apply?"


def ask_documents(organization: TestOrganization, query: str = "", **body: Any) -> httpx2.Response:
    url = organization.url.replace("parse_via_chat_gpt", "filesearch-gpt")
    headers = {"Authorization": f"Bearer {organization.token}"}
    return http.post(url + query, json={"question": QUESTION} | body, headers=headers, timeout=20)


@pytest.fixture
def store(openai: OpenAIStandIn, alice: TestOrganization) -> str:
    """A vector store of Alice's account, with two documents."""
    openai.search("In **May** 【4:0†source】, or **June** fileciteturn0file1.")
    return openai.documents.add_store(alice.key, "rules.pdf", "dates.docx")


def require_field_error(reply: httpx2.Response, openai: OpenAIStandIn, *, asked: bool = False) -> str:
    assert (reply.status_code, get_code(reply)) == (422, "invalid_field"), reply.text
    assert bool(openai.requests) is asked
    return str(reply.json()["error"])


def test_an_answer_comes_from_the_documents_without_marks(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    reply = ask_documents(alice, vector_store_id=store, prompt="Be brief.")
    assert reply.status_code == 200, reply.text
    body = reply.json()
    assert body["parsed_msg"] == body["message"] == "In *May*, or *June*."
    assert body["sources"] == ["rules.pdf", "dates.docx"]
    [request] = openai.requests
    assert request.path == "/v1/responses"
    assert (request.question, request.body["instructions"]) == (QUESTION, "Be brief.")
    assert request.body["tools"][0]["vector_store_ids"] == [store]
    [call] = alice.calls()
    assert (call["function"], call["status"]) == ("filesearch-gpt", "ok")
    assert call["cost_usd"] >= 0.0025


def test_an_answer_that_is_json_is_decoded_without_marks(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    openai.search('```json\n{"month": "May\u30104:0\u2020source\u3011", "fee": null}\n```')
    body = ask_documents(alice, vector_store_id=store).json()
    assert body["parsed_msg"] == body["message"] == {"month": "May", "fee": "-"}


def test_half_a_surrogate_pair_in_an_answer_and_a_name_is_removed(
    alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.search("In May \ud83c 【4:0†source】.")
    store = openai.documents.add_store(alice.key, "rules\ud83d.pdf")
    body = ask_documents(alice, vector_store_id=store).json()
    assert (body["parsed_msg"], body["sources"]) == ("In May .", ["rules.pdf"])


def test_the_organizations_store_is_searched_if_the_body_names_none(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    other = openai.documents.add_store(alice.key, "other.md")
    alice.change(vector_store_id=store)
    no_store: list[dict[str, Any]] = [{}, {"vector_store_id": ""}, {"vector_store_id": None}, {"vector_store_id": []}]
    for body in no_store:
        assert ask_documents(alice, **body).status_code == 200
        assert openai.requests[-1].body["tools"][0]["vector_store_ids"] == [store]
    reply = ask_documents(alice, vector_store_id=[other, f" {store} "], question="", question_text="And now?")
    assert reply.json()["sources"] == ["other.md", "rules.pdf", "dates.docx"]
    assert openai.requests[-1].body["tools"][0]["vector_store_ids"] == [other, store]
    assert openai.requests[-1].question == "And now?"


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({}, "Documents"),
        ({"assistant_id": "asst_1"}, "assistant_id"),
        ({"vector_store_id": "asst_1"}, "assistant"),
        ({"vector_store_id": "file-1"}, "vs_"),
        ({"vector_store_id": ["vs_1", ""]}, "vs_"),
        ({"vector_store_id": 7}, "list"),
        ({"vector_store_id": ["vs_1"] * 11}, "10"),
    ],
    ids=repr,
)
def test_a_call_without_a_usable_store_is_refused_before_openai_is_asked(
    alice: TestOrganization, openai: OpenAIStandIn, sent: dict[str, Any], named: str
) -> None:
    error = require_field_error(ask_documents(alice, **sent), openai)
    assert error.startswith("vector_store_id: ")
    assert named in error


def test_a_store_of_another_account_looks_like_a_missing_one(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    foreign, missing = (ask_documents(bob, vector_store_id=each) for each in (store, "vs_none"))
    error = require_field_error(foreign, openai, asked=True)
    assert error.startswith("vector_store_id: ")
    assert {key: foreign.json()[key] for key in ERROR_KEYS - {"call_id"}} == {
        key: missing.json()[key] for key in ERROR_KEYS - {"call_id"}
    }
    assert foreign.json()["message"] == foreign.json()["parsed_msg"]


@pytest.mark.parametrize("sent", [{"question": ""}, {"question": " ", "question_text": None}], ids=repr)
def test_an_empty_question_is_refused(alice: TestOrganization, openai: OpenAIStandIn, sent: dict[str, Any]) -> None:
    reply = ask_documents(alice, vector_store_id="vs_1", **sent)
    assert get_code(reply) == "empty_question"
    assert "question_text" not in reply.json()["error"]
    assert openai.requests == []


def test_an_unfilled_variable_is_named(alice: TestOrganization) -> None:
    reply = ask_documents(alice, vector_store_id="@results.store.input")
    assert get_code(reply) == "unresolved_variable"
    assert "@results.store.input" in reply.json()["error"]


def test_a_budget_pays_for_the_search_and_the_passages(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    alice.change(monthly_budget_usd="0.01")
    assert get_code(ask_documents(alice, vector_store_id=store, model="gpt-4o")) == "budget_exceeded"
    assert openai.requests == []
    # Enough for the passages and a short answer of gpt-4o-mini, and too little for the search as well.
    alice.change(monthly_budget_usd="0.0085")
    assert get_code(ask_documents(alice, vector_store_id=store, model="gpt-4o-mini")) == "budget_exceeded"
    assert openai.requests == []
    alice.change(monthly_budget_usd="1")
    assert ask_documents(alice, vector_store_id=store, model="gpt-4o").status_code == 200
    assert openai.requests[0].body["max_output_tokens"] > 0


def test_a_later_answer_carries_its_sources(
    server: RunningServer, openai: OpenAIStandIn, glific: GlificStandIn
) -> None:
    organization = create_connected_organization(server, glific)
    openai.search()
    store = openai.documents.add_store(organization.key, "rules.pdf")
    organization.change(vector_store_id=store)
    start_worker_in_process(server)
    call_id = pending_call_id(
        ask_documents(organization, "?mode=async", contact={"id": 21}, flow_id="5", organization_id=17)
    )
    assert organization.wait_for_delivery(call_id).state == "delivered"
    result = resumed_result(glific, 21)
    assert (result["message"], result["parsed_msg"], result["sources"]) == ("In May.", "In May.", ["rules.pdf"])


def test_a_file_name_cannot_become_code_in_glific(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.search()
    store = openai.documents.add_store(alice.key, "<%= System.halt() %>.md", "@results.secret.pdf")
    sources = ask_documents(alice, vector_store_id=store).json()["sources"]
    assert not any("<%" in name or "System." in name or "@results." in name for name in sources)


def test_an_answer_without_a_search_has_no_sources(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.always(answer("Hello!"))
    body = ask_documents(alice, vector_store_id="vs_1").json()
    assert (body["message"], body["sources"]) == ("Hello!", [])


@pytest.mark.parametrize("model", ["gpt-3.5-turbo", "gpt-5-chat-latest"])
def test_a_model_without_file_search_is_refused_before_openai_is_asked(
    alice: TestOrganization, openai: OpenAIStandIn, model: str
) -> None:
    reply = ask_documents(alice, vector_store_id="vs_1", model=model)
    assert get_code(reply) == "model_not_supported"
    assert "documents" in reply.json()["error"]
    assert openai.requests == []


def test_a_conversation_continues_with_its_documents(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    first = ask_documents(alice, vector_store_id=store, thread_id="@results.gpt_response.thread_id").json()
    assert first["memory"] == "new"
    second = ask_documents(alice, vector_store_id=store, question="And how?", thread_id=first["thread_id"]).json()
    assert (second["memory"], second["sources"]) == ("continued", ["rules.pdf", "dates.docx"])
    sent = openai.requests[-1].body["input"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert "source】" not in sent[1]["content"]


def test_a_model_without_a_limit_of_searches_is_asked_without_it(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    openai.always(unsupported("max_tool_calls", then=openai.searching("In May.")))
    for _ in range(2):
        assert ask_documents(alice, vector_store_id=store).json()["sources"] == ["rules.pdf", "dates.docx"]
    assert ["max_tool_calls" in request.body for request in openai.requests] == [True, False, False]


def test_under_a_budget_nothing_is_searched_without_a_limit(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    alice.change(monthly_budget_usd="1")
    openai.always(unsupported("max_tool_calls", then=openai.searching("In May.")))
    reply = ask_documents(alice, vector_store_id=store)
    assert get_code(reply) == "budget_exceeded"
    assert "searches" in reply.json()["error"]
    assert len(openai.requests) == 1


def test_a_long_answer_does_not_block_other_calls(alice: TestOrganization, openai: OpenAIStandIn, store: str) -> None:
    openai.search("word 【4:0†source】 " * 60_000)
    message = ask_documents(alice, vector_store_id=store).json()["message"]
    assert message.startswith("word word word")
    assert len(message) <= 4095


def test_a_repeated_call_gets_the_stored_answer_with_its_sources(
    alice: TestOrganization, openai: OpenAIStandIn, store: str
) -> None:
    url = alice.url.replace("parse_via_chat_gpt", "filesearch-gpt")
    headers = {"Authorization": f"Bearer {alice.token}", "Idempotency-Key": "one"}
    body = {"question": QUESTION, "vector_store_id": store}
    first, again = (http.post(url, json=body, headers=headers, timeout=20) for _ in range(2))
    assert first.json() == again.json()
    assert again.json()["sources"] == ["rules.pdf", "dates.docx"]
    assert len(openai.requests) == 1
