"""HTTP client of the OpenAI API, over a connection pool that all threads share."""

import json

import httpx2
from pydantic import SecretStr

from glific_gpt import __version__
from glific_gpt.openai.connections import AddressFilter, ConnectionPool
from glific_gpt.openai.encodings import decode_body
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.request_bodies import JsonObject
from glific_gpt.runtime import bridge, cpu_bound


class OpenAIClient:
    """A client that makes one attempt for each request, with few headers and none from the environment."""

    def __init__(self, base_url: str, allows: AddressFilter | None = None) -> None:
        self._pool = ConnectionPool(base_url, allows)
        self._path = httpx2.URL(base_url).raw_path.rstrip(b"/")
        self._headers = (
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # to decompress takes longer than to receive an answer
            (b"User-Agent", f"glific_gpt/{__version__}".encode()),
        )

    def exchange(self, api_key: SecretStr, path: str, body: JsonObject | None, timeout_seconds: float) -> bytes:
        """Send a POST request, or a GET request without a body, and return the body of a reply of status 2xx.

        The time-out limits the whole exchange. Raises RequestRefused for a reply of another status, and
        httpx2.RequestError if there was no complete reply.
        """
        method, content = ("GET", b"") if body is None else ("POST", _encode(body))
        return self.send(api_key, method, path, content, timeout_seconds)

    def send(
        self,
        api_key: SecretStr,
        method: str,
        path: str,
        content: bytes,
        timeout_seconds: float,
        *,
        content_type: str = "application/json",
    ) -> bytes:
        """Send a request with any method and body, like `exchange`."""
        headers = [
            *self._headers,
            (b"Content-Type", content_type.encode()),
            (b"Authorization", b"Bearer " + api_key.get_secret_value().encode()),
        ]
        reply = self._pool.request(method, self._path + path.encode(), headers, content, timeout_seconds)
        response = bridge.await_(reply)
        received = decode_body(response.headers, bytes(response.body))
        if not 200 <= response.status < 300:
            is_long = len(received) > cpu_bound.LARGE_CHARACTERS
            refusal = cpu_bound.run(
                lambda: ApiRefusal.parse(response.status, response.headers, received), is_long=is_long
            )
            raise RequestRefused(refusal)
        return received


def _encode(value: JsonObject) -> bytes:
    is_long = cpu_bound.is_large(value)
    return cpu_bound.run(lambda: json.dumps(value, ensure_ascii=False).encode(), is_long=is_long)
