"""HTTP client of the OpenAI API: the openai library over a connection pool that all threads share."""

import json

import httpx2
import openai
from openai import OpenAI
from pydantic import SecretStr

from glific_gpt.openai import large_reply_slots
from glific_gpt.openai.connections import AddressFilter, ConnectionPool
from glific_gpt.openai.encodings import decode_body, is_encoded
from glific_gpt.openai.json_size import MAX_REPLY_VALUES, has_more_values
from glific_gpt.openai.refusals import ApiRefusal, RequestRefused
from glific_gpt.openai.request_bodies import JsonObject
from glific_gpt.runtime import bridge, cpu_bound

PLACEHOLDER_KEY = "no-key"
"""The library demands a key at construction; each request brings its own."""


class OpenAIClient(OpenAI):
    """The openai library with a request method of its own: one attempt, our headers, our connection pool.

    The library's request methods support retries, files, queries, hooks, several ways to authenticate, and headers
    from the environment. Calls here need none of these. They cost most of the library's time, and headers from the
    environment could reveal the operator.
    """

    def __init__(self, base_url: str, allows: AddressFilter | None = None) -> None:
        # The library would otherwise build a client that reads the system's certificates and proxies.
        unused = httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False)
        super().__init__(api_key=PLACEHOLDER_KEY, base_url=base_url, http_client=unused)
        self._pool = ConnectionPool(base_url, allows)
        self._path = self.base_url.raw_path.rstrip(b"/")
        self._headers = (
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # to decompress takes longer than to receive an answer
            (b"User-Agent", self.user_agent.encode()),
        )

    def exchange(self, api_key: SecretStr, path: str, body: JsonObject | None, timeout_seconds: float) -> bytes:
        """Send a POST request, or a GET request without a body, and return the body of a reply of status 2xx.

        The time-out limits the whole exchange. Raises RequestRefused for a reply of another status, and
        openai.APIConnectionError.
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
        try:
            response = bridge.await_(reply)
            body = bytes(response.body)
            if is_encoded(response.headers, body):  # a small body can become large when it is decompressed
                bridge.await_(large_reply_slots.take_slot(timeout_seconds))
            received = decode_body(response.headers, body)
            _require_few_values(received)
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(self._describe_request(method, path)) from error
        except httpx2.RequestError as error:
            raise openai.APIConnectionError(request=self._describe_request(method, path)) from error
        if not 200 <= response.status < 300:
            is_long = len(received) > cpu_bound.LARGE_CHARACTERS
            refusal = cpu_bound.run(
                lambda: ApiRefusal.parse(response.status, response.headers, received), is_long=is_long
            )
            raise RequestRefused(refusal)
        return received

    def _describe_request(self, method: str, path: str) -> httpx2.Request:
        """Return the request for the library's errors, without headers, since one of them is the key."""
        return httpx2.Request(method, f"{str(self.base_url).rstrip('/')}{path}")


def _encode(value: JsonObject) -> bytes:
    is_long = cpu_bound.is_large(value)
    return cpu_bound.run(lambda: json.dumps(value, ensure_ascii=False).encode(), is_long=is_long)


def _require_few_values(body: bytes) -> None:
    """Raise httpx2.DecodingError for a reply whose values would take long to decode."""
    if len(body) <= cpu_bound.LARGE_CHARACTERS:
        return
    # Every byte becomes a character.
    if cpu_bound.run(lambda: has_more_values(body.decode("latin-1"), MAX_REPLY_VALUES), is_long=True):
        raise httpx2.DecodingError("the reply has too many values")
