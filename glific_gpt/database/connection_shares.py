"""How the PostgreSQL connections of a process are shared out over its pools."""

from typing import NamedTuple

MIN_CONNECTIONS = 8
"""With fewer, a pool would have none."""


class ConnectionShares(NamedTuple):
    """Sizes of the pools. Their sum, with the connection that holds the process's lock, is the limit of the process."""

    writes: int
    event_loop: int
    reports: int
    workflows: int
    """Running workflows."""
    queue: int
    """Enqueued work, and questions about it."""


def share_out(connections: int) -> ConnectionShares:
    """Share out this number of connections, at least MIN_CONNECTIONS."""
    event_loop, workflows, queue = connections // 5, connections // 4, connections // 10
    reports = 2 if connections >= 2 * MIN_CONNECTIONS else 1
    others = ConnectionShares(0, max(1, event_loop), reports, max(2, workflows), max(1, queue))
    lock = 1
    return others._replace(writes=connections - lock - sum(others))
