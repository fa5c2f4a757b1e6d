"""Request limits: the calls per minute of an organization and of a contact."""

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from glific_gpt.calls.request_windows import RequestWindows
from glific_gpt.calls.tenant import Tenant
from glific_gpt.errors import RateLimited, SettingsError
from glific_gpt.runtime.call_threads import WaitTimeout, run_in_executor
from glific_gpt.runtime.event_loop import blocking
from glific_gpt.runtime.rate_limit_storage import storage_options
from glific_gpt.settings import MSG_RATE_LIMIT_STORAGE

NAMESPACE = "glific_gpt"
RETRY_STORAGE_SECONDS = 10.0
"""Time after a failure in which the storage is not asked, so that calls do not wait for it."""

log = structlog.get_logger()


class _Limit(NamedTuple):
    """One limit of a call."""

    item: RateLimitItem
    subject: str
    """The organization or contact that is counted."""
    message: str


@dataclass
class RequestLimits:
    """Counts calls in memory, or in a Redis that all processes share. While that is down, calls are not limited."""

    storage: Storage
    _failed_at: float | None = field(default=None, init=False)
    """When the storage failed; None while it works."""

    def __post_init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(self.storage)

    def count(self, tenant: Tenant, contact_id: int | None) -> None:
        """Count a call. Raises RateLimited, with the seconds until the next call is possible."""
        if tenant.calls_per_minute is None and tenant.contact_calls_per_minute is None:
            return
        # The contact's limit comes first: its refused calls must not count against the organization's other contacts.
        limits = [*_contact_limits(tenant, contact_id), *_organization_limits(tenant)]
        if isinstance(self.storage, RequestWindows):
            self._count(limits)
        elif self._failed_at is None or time.monotonic() - self._failed_at > RETRY_STORAGE_SECONDS:
            with suppress(WaitTimeout):  # without an answer of the Redis, calls are not limited
                run_in_executor(lambda: self._count_in_network(limits))

    def _count(self, limits: list[_Limit]) -> None:
        for limit in limits:
            if not self._limiter.hit(limit.item, limit.subject):
                reset_time = self._limiter.get_window_stats(limit.item, limit.subject).reset_time
                raise RateLimited(limit.message, retry_after=max(1, math.ceil(reset_time - time.time())))

    @blocking
    def _count_in_network(self, limits: list[_Limit]) -> None:
        try:
            self._count(limits)
        except StorageError as error:
            if self._failed_at is None:  # one line for each outage
                log.error("rate_limit_storage_failed", reason=type(error.storage_error).__name__)
            self._failed_at = time.monotonic()
        else:
            self._failed_at = None


def open_storage(url: str) -> Storage:
    """Return the storage of the counters. Nothing is connected yet. Raises SettingsError."""
    try:
        if url.startswith("memory:"):
            return RequestWindows()
        return cast("Storage", storage_from_string(url, **storage_options(url)))
    except (ConfigurationError, ImportError, ValueError):
        raise SettingsError(MSG_RATE_LIMIT_STORAGE) from None


def _contact_limits(tenant: Tenant, contact_id: int | None) -> Iterator[_Limit]:
    limit = tenant.contact_calls_per_minute
    if limit is None:
        return
    message = (
        f"This contact has reached the organization's limit of calls per minute ({limit}). "
        "Wait a minute, or raise the limit in the organization's settings."
    )
    if contact_id is None:
        message = (
            f"Calls without a contact have reached the organization's limit of calls per minute for one contact "
            f'({limit}). Add "contact": "@contact" to the body of the webhook node.'
        )
    subject = f"{tenant.organization_id}/contacts/{contact_id or 'none'}"
    yield _Limit(RateLimitItemPerMinute(limit, namespace=NAMESPACE), subject, message)


def _organization_limits(tenant: Tenant) -> Iterator[_Limit]:
    limit = tenant.calls_per_minute
    if limit is not None:
        message = (
            f"This organization has reached its limit of calls per minute ({limit}). "
            "Wait a minute, or raise the limit in the organization's settings."
        )
        yield _Limit(RateLimitItemPerMinute(limit, namespace=NAMESPACE), str(tenant.organization_id), message)
