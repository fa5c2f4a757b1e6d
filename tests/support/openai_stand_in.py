"""A stand-in for the OpenAI API over a real socket: it records requests and fails on demand."""

import threading
from dataclasses import replace

from glific_gpt.local.sandbox_documents import Documents
from tests.support.openai_answers import answer, answer_with_memory
from tests.support.openai_documents import DOCUMENT_PATHS, answer_about_documents, answer_from_documents
from tests.support.openai_errors import unknown_url
from tests.support.openai_exchange import Behaviour, ByteWriter, Exchange, ReceivedRequest
from tests.support.openai_pictures import find_refusal
from tests.support.stand_in_server import StandIn

_MODELS_PATH = "/v1/models"
_PATHS = (_MODELS_PATH, "/v1/chat/completions", "/v1/responses")

# fmt: off
MODELS = (
    "gpt-3.5-turbo", "gpt-3.5-turbo-instruct", "davinci-002", "gpt-4", "gpt-4-turbo", "gpt-4o",
    "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "gpt-5-pro",
    "gpt-5.1-codex", "o1-pro", "o3", "o4-mini", "gpt-audio", "gpt-4o-audio-preview", "gpt-realtime",
    "whisper-1", "gpt-4o-transcribe", "tts-1", "gpt-4o-mini-tts", "dall-e-3", "gpt-image-1", "sora-2",
    "text-embedding-3-small", "omni-moderation-latest", "ft:gpt-4o-mini-2024-07-18:ngo::abc123",
)
# fmt: on


class OpenAIStandIn(StandIn[Exchange]):
    """The OpenAI API for a test: `with OpenAIStandIn() as openai:`, then point the server at `base_url`.

    The behaviour of a request is the first of these: `for_key`, `for_documents` for files and vector stores,
    `for_models` for GET /v1/models, the next one in the queue of `will`, `always`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def for_key(self, key: str, behaviour: Behaviour) -> None:
        """Set the behaviour of all requests with this API key, on every path."""
        self._for_key[key] = behaviour

    def for_models(self, behaviour: Behaviour) -> None:
        """Set the behaviour of GET /v1/models. A normal answer there is the list of `models`."""
        self._for_models = behaviour

    def for_documents(self, behaviour: Behaviour) -> None:
        """Set the behaviour of all requests about files and vector stores. A normal answer is that of `documents`."""
        self._for_documents = behaviour

    def search(self, text: str = "In May 【4:0†source】.") -> None:
        """Answer questions to documents with this text, which cites all files of their stores."""
        self._always = self.searching(text)

    def searching(self, text: str) -> Behaviour:
        return lambda exchange: answer_from_documents(self.documents, exchange, text)

    def serve(self, received: ReceivedRequest, wire: ByteWriter) -> bool:
        scheme, _, key = received.headers.get("authorization", "").partition(" ")
        path, _, query = received.path.partition("?")
        api_key = key if scheme == "Bearer" else None
        return super().serve(replace(received, path=path, query=query, api_key=api_key), wire)

    def _begin(self) -> None:
        self._for_models = answer()
        self._always = answer_with_memory
        self._for_documents = lambda exchange: answer_about_documents(self.documents, exchange)
        self._for_key: dict[str, Behaviour] = {}
        self.models = list(MODELS)
        self.documents = Documents(indexing_seconds=0)

    def _choose(self, received: ReceivedRequest) -> Behaviour:
        is_about_documents = received.path.startswith(DOCUMENT_PATHS)
        if received.path not in _PATHS and not is_about_documents:
            return unknown_url()
        if received.api_key in self._for_key:
            return self._for_key[received.api_key]
        if is_about_documents:
            return self._for_documents
        if received.path == _MODELS_PATH:
            return self._for_models
        return find_refusal(received) or super()._choose(received)

    def _exchange(self, received: ReceivedRequest, wire: ByteWriter, released: threading.Event) -> Exchange:
        return Exchange(received, wire, released, self.models)
