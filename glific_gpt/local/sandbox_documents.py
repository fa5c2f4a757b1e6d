"""Endpoints of the sandbox for documents: OpenAI's files and vector stores, in memory.

Shapes: https://platform.openai.com/docs/api-reference (files, vector-stores, vector-stores-files)
"""

import io
import itertools
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from werkzeug.formparser import parse_form_data

from glific_gpt.local.sandbox_accounts import Account, File, Store, StoredFile


class Refusal(Exception):
    """An error reply."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.param = param


@dataclass(frozen=True)
class DocumentRequest:
    """A request to an endpoint of files or vector stores."""

    method: str
    path: str
    """Below the base URL: /vector_stores/vs_1/files."""
    query: Mapping[str, str]
    key: str
    content_type: str
    content: bytes
    body: Any
    """The decoded JSON, if it is JSON."""


class Documents:
    """Files and vector stores of all accounts. A key reaches those of its own account alone."""

    def __init__(self, indexing_seconds: float = 3.0) -> None:
        self.indexing_seconds = indexing_seconds
        self._accounts: dict[str, Account] = {}
        self._numbers = itertools.count(1)

    def answer(self, request: DocumentRequest) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of the reply."""
        account = self._account(request.key)
        parts = request.path.strip("/").split("/")
        try:
            for method, pattern, handle in self._routes:
                values = _match(pattern, parts)
                if method == request.method and values is not None:
                    return 200, handle(account, request, *values)
        except Refusal as refusal:
            error = {"message": str(refusal), "type": "invalid_request_error", "param": refusal.param, "code": None}
            return refusal.status, {"error": error}
        message = f"Invalid URL ({request.method} /v1{request.path})"
        return 404, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}

    def names_in(self, key: str, store_ids: list[str]) -> list[tuple[str, str]]:
        """Return the id and name of each file that a search in these stores finds. Raises Refusal."""
        stores = self._account(key).stores
        for store_id in store_ids:
            if not store_id.startswith("vs_"):
                message = (
                    f"Invalid 'tools[0].vector_store_ids[0]': '{store_id}'. Expected an ID that begins with 'vs_'."
                )
                raise Refusal(400, message, "tools[0].vector_store_ids[0]")
            if store_id not in stores:
                raise Refusal(404, f"Vector store with id ['{store_id}'] not found.", "tools")
        found = [stored for store_id in store_ids for stored in stores[store_id].files.values()]
        return [(stored.file.id, stored.file.name) for stored in found if stored.status == "completed"]

    def add_store(self, key: str, *names: str) -> str:
        """Create a store with a small indexed file for each name, and return its id."""
        account = self._account(key)
        store = self._new_store(account, "Documents")
        for name in names:
            file = self._new_file(account, name, b"A line of text.")
            store.files[file.id] = StoredFile(file, file.created_at, 0.0)
        return store.id

    @property
    def _routes(self) -> list[tuple[str, str, Callable[..., dict[str, Any]]]]:
        return [
            ("GET", "files", lambda account, request: _page(account.files, request, File.view)),
            ("POST", "files", self._upload),
            ("DELETE", "files/*", self._delete_file),
            ("GET", "vector_stores", lambda account, request: _page(account.stores, request, Store.view)),
            ("POST", "vector_stores", self._create_store),
            ("GET", "vector_stores/*", lambda account, _, store_id: _find(account, store_id).view()),
            ("GET", "vector_stores/*/files", self._list_stored),
            ("POST", "vector_stores/*/files", self._attach),
            ("DELETE", "vector_stores/*/files/*", self._detach),
        ]

    def _account(self, key: str) -> Account:
        return self._accounts.setdefault(key, Account())

    def _new_file(self, account: Account, name: str, content: bytes) -> File:
        file = File(f"file-{next(self._numbers):06d}", name, len(content), int(time.time()))
        account.files[file.id] = file
        return file

    def _new_store(self, account: Account, name: str) -> Store:
        store = Store(f"vs_{next(self._numbers):06d}", name, int(time.time()))
        account.stores[store.id] = store
        return store

    def _upload(self, account: Account, request: DocumentRequest) -> dict[str, Any]:
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": request.content_type,
            "CONTENT_LENGTH": str(len(request.content)),
            "wsgi.input": io.BytesIO(request.content),
        }
        _, fields, files = parse_form_data(environ)
        if fields.get("purpose") != "assistants" or "file" not in files:
            raise Refusal(400, "Missing required parameter: 'file'.", "file")
        with closing(files["file"]) as file:
            return self._new_file(account, file.filename or "", file.read()).view()

    def _delete_file(self, account: Account, _request: DocumentRequest, file_id: str) -> dict[str, Any]:
        if account.files.pop(file_id, None) is None:
            raise Refusal(404, f"No such File object: {file_id}", "id")
        for store in account.stores.values():
            store.files.pop(file_id, None)
        return {"id": file_id, "object": "file", "deleted": True}

    def _create_store(self, account: Account, request: DocumentRequest) -> dict[str, Any]:
        return self._new_store(account, str((request.body or {}).get("name") or "")).view()

    def _list_stored(self, account: Account, request: DocumentRequest, store_id: str) -> dict[str, Any]:
        return _page(_find(account, store_id).files, request, lambda stored: stored.view(store_id))

    def _attach(self, account: Account, request: DocumentRequest, store_id: str) -> dict[str, Any]:
        store, file_id = _find(account, store_id), str((request.body or {}).get("file_id"))
        if file_id not in account.files:
            raise Refusal(404, f"No such File object: {file_id}", "file_id")
        stored = StoredFile(account.files[file_id], int(time.time()), time.monotonic() + self.indexing_seconds)
        store.files[file_id] = stored
        return stored.view(store_id)

    def _detach(self, account: Account, _request: DocumentRequest, store_id: str, file_id: str) -> dict[str, Any]:
        if _find(account, store_id).files.pop(file_id, None) is None:
            raise Refusal(404, f"No file found with id '{file_id}' in vector store '{store_id}'.", "file_id")
        return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}


def _find(account: Account, store_id: str) -> Store:
    if store_id not in account.stores:
        raise Refusal(404, f"No vector store found with id '{store_id}'.", "vector_store_id")
    return account.stores[store_id]


def _page(items: dict[str, Any], request: DocumentRequest, view: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return a page of a list, the newest first."""
    ids = list(reversed(items))
    start = ids.index(request.query["after"]) + 1 if request.query.get("after") in ids else 0
    limit = int(request.query.get("limit", "20"))
    shown = ids[start : start + limit]
    return {
        "object": "list",
        "data": [view(items[item]) for item in shown],
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
        "has_more": start + limit < len(ids),
    }


def _match(pattern: str, parts: list[str]) -> list[str] | None:
    """Return the parts of the path at the stars of the pattern; None if it does not match."""
    names = pattern.split("/")
    if len(names) != len(parts) or any(name not in {"*", part} for name, part in zip(names, parts, strict=True)):
        return None
    return [part for name, part in zip(names, parts, strict=True) if name == "*"]
