"""The limit on the pages that clients without a session load from one network."""

from time import monotonic

import structlog

BURST_PAGES = 300
"""Pages that a network may load before the limit counts: people in an office or a training share one address."""
PAGES_PER_SECOND = 10.0
"""Pages that it may load after that. A page takes 2 to 4 ms of CPU time."""
MAX_NETWORKS = 10_000
LOG_INTERVAL_SECONDS = 10.0

log = structlog.get_logger()


class StrangerLimits:
    """A token bucket for each network. Only the event loop's thread may use it."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}
        """Pages left, and the time of the last one, by network, in the order of the last pages."""
        self._refused = 0
        self._logged_at = -LOG_INTERVAL_SECONDS

    def take(self, network: str) -> bool:
        """Count a page, unless the limit of the network is reached."""
        at = monotonic()
        left, last = self._buckets.pop(network, (BURST_PAGES, at))
        left = min(BURST_PAGES, left + (at - last) * PAGES_PER_SECOND)
        is_free = left >= 1
        self._buckets[network] = (left - 1 if is_free else left, at)
        if len(self._buckets) > MAX_NETWORKS:
            del self._buckets[next(iter(self._buckets))]
        if not is_free:
            self._log_refusal(network, at)
        return is_free

    def _log_refusal(self, network: str, at: float) -> None:
        """Log the first refused page, and then at most one line in each interval."""
        self._refused += 1
        if at - self._logged_at >= LOG_INTERVAL_SECONDS:
            log.warning("pages_refused", address=network, count=self._refused)
            self._refused, self._logged_at = 0, at
