"""The way to OpenAI: its library, straight over connections that all threads share."""

import json
from functools import lru_cache
from typing import Any, ClassVar, cast

import httpx2
from openai import OpenAI, RequestOptions
from openai._models import FinalRequestOptions
from pydantic import SecretStr

from glific_gpt import waiting
from glific_gpt.clock import Deadline
from glific_gpt.llm.connections import Connections

NO_KEY = "no-key"


class Library(OpenAI):
    """OpenAI's library, as it is but for how it puts a request together."""

    _SAME: ClassVar = {"Accept": "application/json", "Content-Type": "application/json", "Accept-Encoding": "identity"}

    def _build_request(self, options: FinalRequestOptions, *, retries_taken: int = 0) -> httpx2.Request:
        """Without all that no call here has: files, queries, ways to sign in, and headers of the environment.

        That is half of the library's time, and what is left out could name the operator.
        """
        headers = {**self._SAME, "User-Agent": self.user_agent, **cast("dict[str, str]", options.headers)}
        content = json.dumps(options.json_data, ensure_ascii=False).encode() if options.json_data else None
        url = _parsed(str(self.base_url).rstrip("/") + options.url)
        return httpx2.Request(
            options.method, url, headers=headers, content=content, extensions={"timeout": options.timeout}
        )


class Straight(httpx2.Client):
    """Straight to the connection: cookies, redirects and ways to sign in are what calls to OpenAI have none of."""

    def __init__(self, connections: Connections) -> None:
        super().__init__(transport=httpx2.BaseTransport(), trust_env=False)
        self._connections = connections

    def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """The whole reply, within the request's time-out in seconds. Raises as Connections.ask."""
        target, seconds = request.url.raw_path, request.extensions["timeout"]
        asking = self._connections.ask(request.method, target, request.headers.raw, request.content, seconds)
        reply = waiting.wait_for(asking)
        return httpx2.Response(reply.status, headers=reply.headers, content=bytes(reply.body), request=request)


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx2.URL:
    return httpx2.URL(url)


def library(base_url: str) -> OpenAI:
    """One for all threads and organizations; each call brings its own key."""
    http = Straight(Connections(base_url))
    return Library(api_key=NO_KEY, base_url=base_url, http_client=http, max_retries=0)


def options_for(api_key: SecretStr, deadline: Deadline) -> RequestOptions:
    """One call's own key and time."""
    return {
        "headers": {"Authorization": f"Bearer {api_key.get_secret_value()}"},
        "timeout": deadline.remaining(),
    }
