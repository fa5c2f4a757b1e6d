"""Options of the storage that counts for limits: short time-outs of a Redis, and errors of one class."""

from importlib import import_module
from typing import Any

REDIS_TIMEOUT_SECONDS = 0.25
"""How long a count waits for each reply of a Redis. Without a reply, the Redis is not used for a while."""


def storage_options(url: str) -> dict[str, Any]:
    """Return the options for `limits.storage.storage_from_string`. Its storages then raise StorageError only.

    Raises ImportError if the URL is of a Redis, and the package redis is not installed.
    """
    if url.startswith("memory:"):
        return {}
    backoff, retry = import_module("redis.backoff"), import_module("redis.retry")
    timeouts = {"socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS}
    # By default, the client waits for 5 seconds, tries several times, and waits for seconds in between.
    return timeouts | {"retry": retry.Retry(backoff.NoBackoff(), 0), "wrap_exceptions": True}
