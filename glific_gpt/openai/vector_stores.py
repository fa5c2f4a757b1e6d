"""Vector stores at OpenAI, and the documents in them. Nothing of them is kept here.

Source: https://platform.openai.com/docs/api-reference/vector-stores
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeVar
from urllib.parse import quote

import httpx2
import openai
from pydantic import BaseModel, SecretStr, ValidationError

from glific_gpt import errors
from glific_gpt.clock import Deadline
from glific_gpt.errors import (
    BadUpstreamReply,
    DeadlineExceeded,
    GlificGptError,
    InvalidApiKey,
    InvalidValue,
    NotFound,
    UpstreamError,
)
from glific_gpt.openai import error_mapping
from glific_gpt.openai.client import OpenAIClient
from glific_gpt.openai.field_refusals import BAD_REQUEST
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.response_bodies import BYTE_ORDER_MARK
from glific_gpt.openai.vector_store_schemas import (
    PAGE,
    FileList,
    FileObject,
    StoredFile,
    StoredFileList,
    VectorStore,
    VectorStoreList,
)

MAX_NAMES = 5000
"""Files of the account that are read for their names. The reply is limited to 4 MiB."""
_STORES, _FILES = "/vector_stores", "/files"
_GONE = 404

Body = TypeVar("Body", bound=BaseModel)


class VectorStores:
    """The vector stores that one key reaches. Each method raises GlificGptError, and ends at the deadline."""

    def __init__(self, client: OpenAIClient, api_key: SecretStr, deadline: Deadline) -> None:
        self._client = client
        self._api_key = api_key
        self._deadline = deadline

    def list_stores(self) -> list[VectorStore]:
        """Return the newest vector stores."""
        return self._get(f"{_STORES}?limit={PAGE}", VectorStoreList).data

    def find_store(self, store_id: str) -> VectorStore:
        """Raises NotFound for a store that the key does not reach."""
        return self._get(_store(store_id), VectorStore)

    def create_store(self, name: str) -> VectorStore:
        return self._request("POST", _STORES, VectorStore, {"name": name})

    def list_files(self, store_id: str) -> list[StoredFile]:
        """Return the newest documents of a store.

        A document has no name and no size of its file if the key may not read the list of files.
        """
        stored = self._get(f"{_store(store_id)}/files?limit={PAGE}", StoredFileList).data
        if not stored:
            return []
        known: dict[str, FileObject] = {}
        with suppress(GlificGptError):
            listed = self._get(f"{_FILES}?purpose=assistants&limit={MAX_NAMES}", FileList).data
            known = {file.id: file for file in listed}
        return [_add_file(file, known.get(file.id)) for file in stored]

    def upload(self, store_id: str, name: str, content: bytes) -> str:
        """Upload a document, have OpenAI index it, and return its id. If it cannot be indexed, it is deleted again."""
        uploaded = httpx2.Request(
            "POST", "http://unused", data={"purpose": "assistants"}, files={"file": (name, content)}
        )
        body, content_type = uploaded.read(), uploaded.headers["Content-Type"]
        file_id = self._parse(FileObject, self._send("POST", _FILES, body, content_type)).id
        try:
            self._request("POST", f"{_store(store_id)}/files", StoredFile, {"file_id": file_id})
        except GlificGptError:
            with suppress(GlificGptError):
                self._send("DELETE", _file(file_id))
            raise
        return file_id

    def remove(self, store_id: str, file_id: str) -> None:
        """Take a document out of a store, and delete it. Raises NotFound if the store does not have it."""
        self._send("DELETE", f"{_store(store_id)}/files/{quote(file_id, safe='')}")
        # The file itself may have been deleted before.
        with suppress(NotFound):
            self._send("DELETE", _file(file_id))

    def _get(self, path: str, kind: type[Body]) -> Body:
        return self._parse(kind, self._send("GET", path))

    def _request(self, method: str, path: str, kind: type[Body], body: Mapping[str, str]) -> Body:
        return self._parse(kind, self._send(method, path, json.dumps(body).encode()))

    @staticmethod
    def _parse(kind: type[Body], content: bytes) -> Body:
        try:
            return kind.model_validate_json(content.removeprefix(BYTE_ORDER_MARK))
        except ValidationError:
            raise BadUpstreamReply from None

    def _send(self, method: str, path: str, content: bytes = b"", content_type: str = "application/json") -> bytes:
        """Make one attempt. People see its error on the page, and can repeat it."""
        if self._deadline.passed:
            raise UpstreamError
        try:
            return self._client.send(
                self._api_key, method, path, content, self._deadline.remaining(), content_type=content_type
            )
        except RequestRefused as refused:
            raise _error_for(refused.refusal) from None
        except openai.APIConnectionError as error:
            mapped = error_mapping.error_for_connection(error)
            # The message of DeadlineExceeded advises to ask for a shorter answer.
            raise (UpstreamError() if isinstance(mapped, DeadlineExceeded) else mapped) from None


def _add_file(stored: StoredFile, file: FileObject | None) -> StoredFile:
    if file is None:
        return stored.model_copy(update={"name": ""})
    return stored.model_copy(update={"name": file.filename, "file_bytes": file.bytes})


def _error_for(refusal: ApiRefusal) -> GlificGptError:
    error = error_mapping.error_for_refusal(refusal, "")
    if isinstance(error, InvalidApiKey) and refusal.is_restricted_key:
        return InvalidApiKey(errors.MSG_KEY_WITHOUT_DOCUMENTS)
    if not refusal.is_from_api or error.error_class == "organization":
        return error
    if refusal.status == _GONE:
        return NotFound(errors.MSG_NO_DOCUMENT)
    return InvalidValue(errors.MSG_DOCUMENT_REFUSED) if refusal.status in BAD_REQUEST else error


def _store(store_id: str) -> str:
    return f"{_STORES}/{quote(store_id, safe='')}"


def _file(file_id: str) -> str:
    return f"{_FILES}/{quote(file_id, safe='')}"
