"""HTTP client of the OpenAI API: the openai library over a connection pool that all threads share."""

import json
from typing import Any

import httpx2
import openai
from openai import OpenAI, RequestOptions
from openai._models import FinalRequestOptions
from pydantic import SecretStr

from glific_gpt import bridge
from glific_gpt.clock import Deadline
from glific_gpt.openai.connections import ConnectionPool, HttpResponse

PLACEHOLDER_KEY = "no-key"
"""The library demands a key at construction; each request brings its own."""


class OpenAIClient(OpenAI):
    """The openai library with its own request method replaced: one attempt, our headers, our connection pool.

    The library's request method supports retries, files, queries, hooks, several ways to authenticate, and headers
    from the environment. Calls here need none of these. They cost most of the library's time, and headers from the
    environment could reveal the operator.
    """

    def __init__(self, base_url: str) -> None:
        # The library would otherwise build a client that reads the system's certificates and proxies.
        unused = httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False)
        super().__init__(api_key=PLACEHOLDER_KEY, base_url=base_url, http_client=unused)
        self._pool = ConnectionPool(base_url)
        self._path = self.base_url.raw_path.rstrip(b"/")
        self._headers = (
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),  # the connection pool does not decompress
            (b"Content-Type", b"application/json"),
            (b"User-Agent", self.user_agent.encode()),
        )

    def request(self, _cast_to: object, options: Any, **_: Any) -> Any:  # type: ignore[override]
        """Return the body of a reply of status 2xx, as bytes.

        `options.timeout`, in seconds, limits the whole exchange. Raises openai.APIStatusError for a reply of another
        status, and openai.APIConnectionError.
        """
        content = json.dumps(options.json_data, ensure_ascii=False).encode() if options.json_data else b""
        headers = [*self._headers, *((name.encode(), value.encode()) for name, value in options.headers.items())]
        target = self._path + options.url.encode()
        exchange = self._pool.request(options.method.upper(), target, headers, content, options.timeout)
        try:
            response = bridge.await_(exchange)
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(self._describe_request(options)) from error
        except httpx2.RequestError as error:
            raise openai.APIConnectionError(request=self._describe_request(options)) from error
        if not 200 <= response.status < 300:
            # The library parses the error's body and chooses the class. The method is private, and versions are pinned.
            raise self._make_status_error_from_response(self._to_library_response(response, options))
        return bytes(response.body)

    def _to_library_response(self, response: HttpResponse, options: FinalRequestOptions) -> httpx2.Response:
        return httpx2.Response(
            response.status,
            headers=response.headers,
            content=bytes(response.body),
            request=self._describe_request(options),
        )

    def _describe_request(self, options: FinalRequestOptions) -> httpx2.Request:
        """Return the request for the library's errors, without headers, since one of them is the key."""
        return httpx2.Request(options.method, f"{str(self.base_url).rstrip('/')}{options.url}")


def request_options(api_key: SecretStr, deadline: Deadline) -> RequestOptions:
    """Return the options of one request: the call's own key and its remaining time."""
    return {
        "headers": {"Authorization": f"Bearer {api_key.get_secret_value()}"},
        "timeout": deadline.remaining(),
    }
