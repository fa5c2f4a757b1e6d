"""Vector stores and documents at OpenAI, over a socket."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from glific_gpt.clock import Deadline
from glific_gpt.errors import (
    BadUpstreamReply,
    GlificGptError,
    InvalidApiKey,
    InvalidValue,
    NotFound,
    RateLimited,
    UpstreamError,
)
from glific_gpt.models.prices import storage_cost
from glific_gpt.openai.gateway import Gateway
from glific_gpt.openai.vector_stores import VectorStores
from tests.support.openai_behaviours import (
    Behaviour,
    close_connection,
    missing_scopes,
    never_respond,
    rate_limit,
    refuse_key,
    send_exactly,
    send_html,
    server_error,
    wrong_shape,
)
from tests.support.openai_documents import answer_about_documents
from tests.support.openai_exchange import Exchange
from tests.support.openai_stand_in import OpenAIStandIn

KEY = "sk-proj-tenant-0123456789"


def documents(openai: OpenAIStandIn, key: str = KEY, seconds: float = 5) -> VectorStores:
    return Gateway(openai.base_url).documents(SecretStr(key), Deadline.after(seconds))


def test_a_document_is_uploaded_listed_and_removed(openai: OpenAIStandIn) -> None:
    ours = documents(openai)
    assert ours.list_stores() == []
    store = ours.create_store("Rules of the scheme")
    assert [each.id for each in ours.list_stores()] == [store.id]
    assert ours.list_files(store.id) == []
    content = b"%PDF-1.7 " + bytes(range(256)) * 4000
    file_id = ours.upload(store.id, "नियम 2026.pdf", content)
    [file] = ours.list_files(store.id)
    assert (file.id, file.name, file.status) == (file_id, "नियम 2026.pdf", "completed")
    assert file.created_at
    [listed] = ours.list_stores()
    assert (listed.name, listed.files.total) == ("Rules of the scheme", 1)
    assert listed.usage_bytes == file.usage_bytes == 3 * len(content)
    ours.remove(store.id, file_id)
    assert ours.list_files(store.id) == []
    assert {request.api_key for request in openai.requests} == {KEY}
    with pytest.raises(NotFound):
        ours.remove(store.id, file_id)


def test_a_document_that_cannot_be_indexed_says_why(openai: OpenAIStandIn) -> None:
    ours = documents(openai)
    store = ours.create_store("Rules")
    ours.upload(store.id, "numbers.xlsx", b"x")
    [file] = ours.list_files(store.id)
    assert (file.status, file.last_error.code) == ("failed", "unsupported_file")
    assert ours.list_stores()[0].files.failed == 1


def test_a_key_does_not_reach_the_stores_of_another_account(openai: OpenAIStandIn) -> None:
    foreign = openai.documents.add_store("sk-proj-other-0123456789", "secret.pdf")
    ours = documents(openai)
    assert ours.list_stores() == []
    for store_id in (foreign, "vs_missing", "../files", "vs_a/../../models"):
        with pytest.raises(NotFound, match="no longer"):
            ours.list_files(store_id)
    assert not any("/../" in request.path for request in openai.requests)
    with pytest.raises(NotFound):
        ours.upload(foreign, "a.pdf", b"x")
    assert openai.documents._accounts[KEY].files == {}  # nothing stays behind


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (refuse_key(), InvalidApiKey),
        (rate_limit(), RateLimited),
        (server_error(), UpstreamError),
        (close_connection(), UpstreamError),
        (send_html(), BadUpstreamReply),
        (wrong_shape({"data": [{"id": "../x"}]}), BadUpstreamReply),
        (wrong_shape({"data": {}}), BadUpstreamReply),
        (send_exactly(400, [], json.dumps({"error": {"message": "Invalid file format."}}).encode()), InvalidValue),
        (send_exactly(404, [], b"<html>"), UpstreamError),
    ],
)
def test_a_failure_is_an_error_of_this_server(
    openai: OpenAIStandIn, behaviour: Behaviour, error: type[GlificGptError]
) -> None:
    openai.for_documents(behaviour)
    with pytest.raises(error):
        documents(openai).list_stores()


def test_the_error_of_a_restricted_key_names_the_permissions(openai: OpenAIStandIn) -> None:
    openai.for_documents(missing_scopes())
    with pytest.raises(InvalidApiKey, match="vector stores"):
        documents(openai).list_stores()


def test_a_silent_openai_ends_at_the_deadline(openai: OpenAIStandIn) -> None:
    openai.for_documents(never_respond())
    with pytest.raises(UpstreamError):
        documents(openai, seconds=0.2).list_stores()


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({}, ("", 0, 0, None, False)),
        ({"name": 7, "usage_bytes": "many", "file_counts": None, "expires_at": -1}, ("", 0, 0, None, False)),
        ({"usage_bytes": 10**30, "file_counts": {"total": -1}, "expires_at": 2**33}, ("", 0, 0, None, False)),
        (
            {"name": "Rules", "usage_bytes": 5, "file_counts": {"total": 2}, "status": "expired"},
            ("Rules", 5, 2, None, True),
        ),
    ],
)
def test_missing_and_unknown_values_are_read_as_nothing(openai: OpenAIStandIn, sent: Any, read: Any) -> None:
    openai.for_documents(wrong_shape({"data": [{"id": "vs_1"} | sent]}))
    [store] = documents(openai).list_stores()
    assert (store.name, store.usage_bytes, store.files.total, store.expires_at, store.is_expired) == read


def test_the_first_gigabyte_costs_nothing() -> None:
    assert storage_cost(2**30) == 0
    assert storage_cost(3 * 2**30) == storage_cost(2 * 2**30) * 2
    assert str(storage_cost(2 * 2**30).normalize()) == "0.1"


def test_documents_are_listed_without_names_if_the_key_may_not_read_them(openai: OpenAIStandIn) -> None:
    store = openai.documents.add_store(KEY, "rules.pdf")

    def behave(exchange: Exchange) -> None:
        if exchange.received.path == "/v1/files":
            missing_scopes()(exchange)
        else:
            answer_about_documents(openai.documents, exchange)

    openai.for_documents(behave)
    [file] = documents(openai).list_files(store)
    assert (file.name, file.status) == ("", "completed")
