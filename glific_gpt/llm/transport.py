"""The way to OpenAI: its library, over one pool of connections that works outside of Python's lock."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any, ClassVar, cast

import httpx2
from openai import OpenAI, RequestOptions
from openai._models import FinalRequestOptions
from pydantic import SecretStr
from pyreqwest.client import SyncClient, SyncClientBuilder
from pyreqwest.exceptions import DecodeError, PyreqwestError, ReadError, RequestTimeoutError

from glific_gpt.clock import Deadline

NO_KEY = "no-key"
CONNECT_SECONDS = 2.0
"""How long connecting may take, all addresses of a host together: one that does not answer leaves time for the next."""
IDLE_SECONDS = 60


class Library(OpenAI):
    """OpenAI's library, as it is but for how it puts a request together."""

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

    _SAME: ClassVar = {"Accept": "application/json", "Content-Type": "application/json"}


class Straight(httpx2.Client):
    """Straight to the connection: cookies, redirects and ways to sign in are what calls to OpenAI have none of."""

    @cached_property
    def _pool(self) -> SyncClient:
        """Made when it is first needed: its thread would not be there in a process that is forked afterwards."""
        return (
            SyncClientBuilder()
            .follow_redirects(enable=False)
            .no_proxy()
            .connect_timeout(timedelta(seconds=CONNECT_SECONDS))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .build()
        )

    def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """The whole reply, within the request's time-out in seconds, name resolution included.

        Raises httpx2.ReadTimeout, httpx2.DecodingError for a reply that broke off or is none, and httpx2.ConnectError
        where nothing was heard.
        """
        asked = self._pool.request(request.method, str(request.url)).headers(request.headers.multi_items())
        try:
            said = asked.body_bytes(request.content).timeout(_seconds(request.extensions)).build().send()
        except RequestTimeoutError:
            raise httpx2.ReadTimeout("the call's time is up", request=request) from None
        except (DecodeError, ReadError):
            raise httpx2.DecodingError("the reply broke off", request=request) from None
        except PyreqwestError:
            raise httpx2.ConnectError("nothing was heard", request=request) from None
        content = said.bytes().to_bytes()
        return httpx2.Response(said.status, headers=list(said.headers.items()), content=content, request=request)


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx2.URL:
    return httpx2.URL(url)


def _seconds(extensions: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=extensions["timeout"])


def library(base_url: str) -> OpenAI:
    """One for all threads and organizations; each call brings its own key."""
    return Library(
        api_key=NO_KEY, base_url=base_url, http_client=Straight(transport=httpx2.BaseTransport()), max_retries=0
    )


def options_for(api_key: SecretStr, deadline: Deadline) -> RequestOptions:
    """One call's own key and time."""
    return {
        "headers": {"Authorization": f"Bearer {api_key.get_secret_value()}"},
        "timeout": deadline.remaining(),
    }
