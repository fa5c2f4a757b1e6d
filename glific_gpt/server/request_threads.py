"""The threads for requests that do not run on the event loop, apart for each kind of request."""

from concurrent.futures import ThreadPoolExecutor

from glific_gpt.runtime.fair_threads import FairThreads, start_all_threads

LONG_URL_THREADS = 4
"""Threads for webhooks with a long URL, of which correct flows have none. They can only delay each other."""
PAGE_THREADS = 32
"""Threads for pages and the JSON API, which clients use in turns."""
HEALTH_CHECKS = {"/livez", "/readyz"}
HEALTH_THREADS = 2
"""Threads for health checks only. A server that is busy must not be taken for one that hangs, and be restarted."""
METRICS = "/metrics"
METRICS_THREADS = 2
"""Threads for metrics only. They are most useful on a busy server, and must not delay its pages."""


class RequestThreads:
    """The threads of one server process."""

    def __init__(self) -> None:
        self._pages = FairThreads(PAGE_THREADS, "page")
        self._health = FairThreads(HEALTH_THREADS, "health")
        self._metrics = FairThreads(METRICS_THREADS, "metrics")
        self.long_url = ThreadPoolExecutor(LONG_URL_THREADS, "long-url")
        self.signature = ThreadPoolExecutor(1, "signature")
        """Checks signatures of large bodies, before their calls have a slot."""

    def start(self) -> None:
        """Start all threads now, and not on the event loop later."""
        for threads in (self._pages, self._health, self._metrics):
            threads.start()
        start_all_threads(self.long_url, LONG_URL_THREADS)
        start_all_threads(self.signature, 1)

    def shut_down(self) -> None:
        """End the threads when they are idle. Does not block."""
        for threads in (self._pages, self._health, self._metrics):
            threads.shut_down()
        self.long_url.shutdown(wait=False)
        self.signature.shutdown(wait=False)

    def find(self, path: str) -> FairThreads:
        """Return the threads for a path that is not a webhook's."""
        if path in HEALTH_CHECKS:
            return self._health
        return self._metrics if path == METRICS else self._pages
