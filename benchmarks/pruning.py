"""Deletion of many old calls while others arrive: `python -m benchmarks.pruning`.

Prints how long the deletion and its longest transaction take, and how long the row of a new call waits meanwhile.
"""

import argparse
import json
import threading
import time
from typing import Any

from benchmarks import databases, server
from benchmarks.progress import print_progress
from benchmarks.seeding import seed_calls
from benchmarks.seeding_organizations import seed_organizations
from glific_gpt.calls import pruning, records
from glific_gpt.calls.context import CallContext
from glific_gpt.database import transaction
from tests.support.serving import open_database

ORGANIZATIONS = 100
PROBE_INTERVAL_SECONDS = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="Number of calls of the last year.")
    options = parser.parse_args()
    print(json.dumps([measure(name, options.calls) for name in databases.list_databases()], indent=2))


def measure(database: str, calls: int) -> dict[str, Any]:
    """Delete all calls but those of the last day."""
    with databases.list_databases()[database]() as url:
        environ = server.build_environment(url, "http://127.0.0.1:9")
        server.migrate(environ)
        seed_organizations(environ, ORGANIZATIONS)
        print_progress(f"fill {database}: {calls:,} calls")
        seed_calls(url, ORGANIZATIONS, calls)
        with open_database(database_url=url) as opened, opened.app.app_context():
            print_progress(f"delete on {database}")
            return {"database": database} | _prune(opened.app.app_context)


def _prune(app_context: Any) -> dict[str, Any]:
    done = threading.Event()
    waits: list[float] = []

    def insert_calls() -> None:
        while not done.is_set():
            begun = time.monotonic()
            with app_context(), transaction(timeout=10) as session:
                session.execute(*records.insert_statement(CallContext(1, "parse_via_chat_gpt"), 5))
            waits.append(time.monotonic() - begun)
            done.wait(PROBE_INTERVAL_SECONDS)

    probe = threading.Thread(target=insert_calls)
    probe.start()
    begun, deleted, longest = time.monotonic(), 0, 0.0
    batches = pruning.prune(pruning.first_kept_moment(1))
    resumed = time.monotonic()
    for count in batches:
        # The generator pauses after each batch, before the next one.
        longest = max(longest, time.monotonic() - resumed - (pruning.PAUSE_SECONDS if deleted else 0))
        deleted += count
        resumed = time.monotonic()
    seconds = time.monotonic() - begun
    done.set()
    probe.join()
    waits.sort()
    return {
        "deleted": deleted,
        "seconds": round(seconds, 1),
        "longest_transaction_ms": round(longest * 1000),
        "new_calls": len(waits),
        "insert_ms_median": round(waits[len(waits) // 2] * 1000, 1),
        "insert_ms_p99": round(waits[len(waits) * 99 // 100] * 1000, 1),
        "insert_ms_max": round(waits[-1] * 1000),
    }


if __name__ == "__main__":
    main()
