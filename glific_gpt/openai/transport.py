"""The way to OpenAI: its library, over connections that all threads share."""

import json
from typing import Any

import httpx2
import openai
from openai import OpenAI, RequestOptions
from openai._models import FinalRequestOptions
from pydantic import SecretStr

from glific_gpt import bridge
from glific_gpt.clock import Deadline
from glific_gpt.openai.connections import Connections, Reply

NO_KEY = "no-key"


class Library(OpenAI):
    """OpenAI's library, as it is but for how one request is made: over our connections, once, by our headers.

    The library's own way has retries, files, queries, hooks, ways to sign in, and headers of the environment, none of
    which a call here has. That is most of its time, and some of it could name the operator.
    """

    def __init__(self, base_url: str) -> None:
        unused = httpx2.Client(transport=httpx2.BaseTransport(), trust_env=False)
        super().__init__(api_key=NO_KEY, base_url=base_url, http_client=unused)
        self._connections = Connections(base_url)
        self._path = self.base_url.raw_path.rstrip(b"/")
        self._headers = (
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"Content-Type", b"application/json"),
            (b"User-Agent", self.user_agent.encode()),
        )

    def request(self, _cast_to: object, options: Any, **_: Any) -> Any:  # type: ignore[override]
        """The body of a reply of status 2xx, as bytes; `options.timeout`, in seconds, is around all of it.

        Raises openai.APIStatusError for a reply of another status, and openai.APIConnectionError.
        """
        content = json.dumps(options.json_data, ensure_ascii=False).encode() if options.json_data else b""
        headers = [*self._headers, *((name.encode(), value.encode()) for name, value in options.headers.items())]
        target = self._path + options.url.encode()
        asking = self._connections.ask(options.method.upper(), target, headers, content, options.timeout)
        try:
            reply = bridge.wait_for(asking)
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(self._named(options)) from error
        except httpx2.RequestError as error:
            raise openai.APIConnectionError(request=self._named(options)) from error
        if not 200 <= reply.status < 300:
            raise self._make_status_error_from_response(self._read(reply, options))
        return bytes(reply.body)

    def _read(self, reply: Reply, options: FinalRequestOptions) -> httpx2.Response:
        return httpx2.Response(
            reply.status, headers=reply.headers, content=bytes(reply.body), request=self._named(options)
        )

    def _named(self, options: FinalRequestOptions) -> httpx2.Request:
        """The request as the library's errors name it: without its headers, of which one is the key."""
        return httpx2.Request(options.method, f"{str(self.base_url).rstrip('/')}{options.url}")


def options_for(api_key: SecretStr, deadline: Deadline) -> RequestOptions:
    """One call's own key and time."""
    return {
        "headers": {"Authorization": f"Bearer {api_key.get_secret_value()}"},
        "timeout": deadline.remaining(),
    }
