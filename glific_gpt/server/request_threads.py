"""The threads for requests that do not run on the event loop, with separate threads for each kind of request."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from glific_gpt.api.authentication import HAS_VALID_API_TOKEN
from glific_gpt.runtime.fair_threads import FairThreads, start_all_threads
from glific_gpt.server.stranger_limits import StrangerLimits

LONG_URL_THREADS = 4
"""Threads for webhooks with a long URL, of which correct flows have none. They can only delay each other."""
PAGE_THREADS = 32
"""Threads for pages and the JSON API, which clients get in rotation."""
STRANGER_THREADS = 2
"""Threads for the pages of clients without a session. The event loop shares a processor with each thread that works.

Beside 24 clients that load the sign-in page, a webhook call took 70 and 30 ms with the threads of all other pages, and
4 and 8 ms with these and the limit (medians of 100 calls, SQLite, two busy cores).
"""
REFUSAL_SECONDS = 1.0
"""Time until a page beyond the limit of strangers is refused, so that a client that repeats it at once costs little."""
STATIC_FILES = "/console/static/"
FORM_METHODS = {"POST", "PUT", "PATCH", "DELETE"}
HEALTH_CHECKS = {"/livez", "/readyz"}
HEALTH_THREADS = 2
"""Threads for health checks only. A server that is busy must not be taken for one that hangs, and be restarted."""
API = "/api/v1/"
MAX_API_TOKENS = 10_000
"""Valid API tokens that are remembered. The one whose last request is the oldest is forgotten first."""
METRICS = "/metrics"
METRICS_THREADS = 2
"""Threads for metrics only. They are most useful on a busy server, and must not delay its pages."""


Environ = dict[str, Any]


def _has_person(_environ: Environ) -> bool:
    return True


class RequestThreads:
    """The threads of one server process."""

    def __init__(self, has_person: Callable[[Environ], bool] = _has_person) -> None:
        """`has_person` returns whether the request of a WSGI environ is from a person who is signed in."""
        self._has_person = has_person
        self._limits = StrangerLimits()
        self._api_tokens: dict[int, None] = {}
        """Hashes of API tokens that were valid before, in the order of their last requests."""
        self._pages = FairThreads(PAGE_THREADS, "page")
        self._strangers = FairThreads(STRANGER_THREADS, "stranger")
        self._health = FairThreads(HEALTH_THREADS, "health")
        self._metrics = FairThreads(METRICS_THREADS, "metrics")
        self.long_url = ThreadPoolExecutor(LONG_URL_THREADS, "long-url")
        self.signature = ThreadPoolExecutor(1, "signature")
        """Checks signatures of large bodies, before their calls have a slot."""

    def start(self) -> None:
        """Start all threads now, and not on the event loop later."""
        for threads in (self._pages, self._strangers, self._health, self._metrics):
            threads.start()
        start_all_threads(self.long_url, LONG_URL_THREADS)
        start_all_threads(self.signature, 1)

    def shut_down(self) -> None:
        """End the threads when they are idle. Does not block."""
        for threads in (self._pages, self._strangers, self._health, self._metrics):
            threads.shut_down()
        self.long_url.shutdown(wait=False)
        self.signature.shutdown(wait=False)

    async def find(self, path: str, environ: Environ, client: str) -> FairThreads | None:
        """Return the threads for a request that is not a webhook's; None if it is beyond the limit of its network.

        `path` is the path as the router reads it, `client` the network of the client.
        """
        if path in HEALTH_CHECKS:
            return self._health
        if path == METRICS:
            return self._metrics
        if self._has_known_token(path, environ) or self._has_person(environ):
            return self._pages
        if not path.startswith(STATIC_FILES) and not self._limits.take(client):
            await asyncio.sleep(REFUSAL_SECONDS)
            return None
        # The check of a password may wait. In the few threads for strangers, it would delay the pages of all of them.
        return self._pages if environ["REQUEST_METHOD"] in FORM_METHODS else self._strangers

    def note_token(self, environ: Environ) -> None:
        """Remember the API token of a request that has ended, if it was valid, or else forget it.

        A remembered token gives no access, because each request is authenticated.
        """
        token = _hash_token(environ)
        self._api_tokens.pop(token, None)
        if HAS_VALID_API_TOKEN in environ:
            self._api_tokens[token] = None
            if len(self._api_tokens) > MAX_API_TOKENS:
                del self._api_tokens[next(iter(self._api_tokens))]

    def _has_known_token(self, path: str, environ: Environ) -> bool:
        """Return whether this is a request to the JSON API with a token that was valid before.

        Only the JSON API reads tokens. On other paths, and with an unknown token, the limits for strangers apply.
        """
        return path.startswith(API) and "HTTP_AUTHORIZATION" in environ and _hash_token(environ) in self._api_tokens


def _hash_token(environ: Environ) -> int:
    """Return a hash, so that no token is kept."""
    return hash(environ.get("HTTP_AUTHORIZATION", ""))
