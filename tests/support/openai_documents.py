"""Behaviours of the OpenAI stand-in about documents: files, vector stores, and answers that search them."""

import uuid
from typing import Any
from urllib.parse import parse_qsl

from glific_gpt.local.sandbox_documents import DocumentRequest, Documents, Refusal
from tests.support.openai_exchange import Exchange
from tests.support.openai_shapes import ModelOutput, build_body

DOCUMENT_PATHS = ("/v1/files", "/v1/vector_stores")


def answer_about_documents(documents: Documents, exchange: Exchange) -> None:
    received = exchange.received
    asked = DocumentRequest(
        received.method,
        received.path.removeprefix("/v1"),
        dict(parse_qsl(received.query)),
        received.api_key or "",
        received.headers.get("content-type", ""),
        received.raw,
        received.body,
    )
    exchange.send_json(*documents.answer(asked))


def answer_from_documents(documents: Documents, exchange: Exchange, text: str) -> None:
    """Answer with a search and a citation of each file, or refuse a store that the key does not reach."""
    received = exchange.received
    [tool] = [tool for tool in received.body["tools"] if tool["type"] == "file_search"]
    try:
        found = documents.names_in(received.api_key or "", tool["vector_store_ids"])
    except Refusal as refusal:
        error = {"message": str(refusal), "type": "invalid_request_error", "param": refusal.param, "code": None}
        exchange.send_json(refusal.status, {"error": error})
        return
    body = build_body(exchange, ModelOutput(text))
    *before, message = body["output"]
    message["content"][0]["annotations"] = [
        {"type": "file_citation", "index": 6, "file_id": file_id, "filename": name} for file_id, name in found
    ]
    body["output"] = [*before, _search_item(), message]
    exchange.send_json(200, body)


def _search_item() -> dict[str, Any]:
    return {
        "id": f"fs_{uuid.uuid4().hex}",
        "type": "file_search_call",
        "status": "completed",
        "queries": ["when to apply"],
        "results": None,
    }
