"""Compare /metrics with the rows of calls after a mixed load: `python -m benchmarks.metrics`.

The server has two processes and a separate worker. Calls have all modes; some are invalid, repeated, refused by OpenAI,
or from an unknown caller, and some get their answer after their request. Exits with 1 if a number differs.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from benchmarks.durability import Environment, add_organization, create_environment
from benchmarks.programs import raise_open_file_limit
from benchmarks.progress import print_progress
from tests.support.metrics import TOKEN, Labels, Samples, ended_calls, scrape, with_row
from tests.support.openai_behaviours import answer, refuse_key, server_error
from tests.support.server import TestOrganization

CONCURRENCY = 16
END_SECONDS = 180
"""How long the last deferred answers may take."""
MODES = ("sync", "async", "auto")


@dataclass(frozen=True)
class Comparison:
    """The counts of a server, and the rows in its database."""

    rows: Counter[Labels]
    samples: Samples

    @property
    def refused(self) -> int:
        """Calls without a row."""
        return sum(count for labels, count in self.samples.calls().items() if labels[2] == "refused")

    @property
    def counted(self) -> Counter[Labels]:
        return with_row(self.samples.calls())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__)
    parser.add_argument("--calls", type=int, default=600, help="Number of calls.")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append", help="Default: both.")
    options = parser.parse_args()
    raise_open_file_limit()
    databases = options.database or ["sqlite", "postgresql"]
    comparisons = {database: measure(database, options.calls) for database in databases}
    for database, comparison in comparisons.items():
        print(f"\n{database}\n")
        print_table(comparison)
    sys.exit(any(comparison.rows != comparison.counted for comparison in comparisons.values()))


def measure(database: str, calls: int) -> Comparison:
    """Start the processes, send the calls, and wait until no deferred call waits."""
    with create_environment(database, metrics_token=TOKEN, worker="separate") as environment:
        url = environment.start_server(processes=2)
        environment.start_worker()
        organizations = create_organizations(environment, url)
        print_progress(f"{database}: {calls} calls")
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            list(pool.map(lambda number: send(organizations, number), range(calls)))
        until = time.monotonic() + END_SECONDS
        while scrape(url).total("deferred_waiting") and time.monotonic() < until:
            time.sleep(1)
        time.sleep(1)  # the last row is counted just after its commit
        return Comparison(ended_calls(environment.database), scrape(url))


def create_organizations(environment: Environment, url: str) -> list[TestOrganization]:
    """Create organizations with different OpenAI accounts: good, slow, failing, and with a wrong key."""
    behaviours = (answer(), answer(after=0.5), answer(after=6), server_error(), refuse_key())
    organizations = [add_organization(environment, f"ngo-{number}", url) for number in range(len(behaviours))]
    for organization, behaviour in zip(organizations, behaviours, strict=True):
        environment.openai.for_key(organization.key, behaviour)
    return organizations


def send(organizations: list[TestOrganization], number: int) -> None:
    """Send a call. Every tenth is invalid, every tenth repeated, and every tenth from an unknown caller."""
    organization = organizations[number % len(organizations)]
    mode, kind = MODES[number % len(MODES)], number // len(organizations) % 10
    headers = {"Idempotency-Key": f"call-{number}"}
    try:
        if kind == 0:
            organization.ask_deferred(mode, question_text="")
        elif kind == 1:
            organization.ask_deferred(mode, headers={"Authorization": "Bearer wrong"})
        else:
            for _ in range(2 if kind == 2 else 1):
                organization.ask_deferred(mode, contact=1000 + number, headers=headers)
    except httpx2.TransportError as failure:
        print_progress(f"call {number}: {type(failure).__name__}")


def print_table(comparison: Comparison) -> None:
    print("| function | mode | status | error_code | rows | counted | difference |")
    print("|---|---|---|---|---:|---:|---:|")
    rows, counted = comparison.rows, comparison.counted
    for labels in sorted(rows | counted):
        difference = counted[labels] - rows[labels]
        print(f"| {' | '.join(labels)} | {rows[labels]} | {counted[labels]} | {difference} |")
    print(f"| **all** | | | | {rows.total()} | {counted.total()} | {counted.total() - rows.total()} |")
    replays = comparison.samples.total("replayed_answers_total")
    print(f"\nWithout a row: {comparison.refused} refused, {replays:.0f} repeated.")


if __name__ == "__main__":
    main()
