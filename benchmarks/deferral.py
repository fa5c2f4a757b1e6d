"""Calls that arrive at the same moment and are answered later: `python -m benchmarks.deferral`.

Prints how long Glific would have waited for the reply of each call, and which flows got their answer. The processes and
databases are real. OpenAI and Glific are stand-ins over sockets.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.durability import add_organization, count_resumptions, create_environment, wait_for_resumptions
from benchmarks.memory import PeakMemory
from benchmarks.programs import raise_open_file_limit
from benchmarks.progress import print_progress
from benchmarks.webhook_calls import Caller, Reply, send_together
from tests.support.openai_answers import answer

SETTLE_SECONDS = 8.0
"""Time in which a second resumption of a flow could arrive."""
SAMPLE_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite", help="Database to use.")
    parser.add_argument("--mode", choices=["async", "auto"], default="auto", help="Mode of the calls.")
    parser.add_argument("--calls", type=int, default=300, help="Number of calls that arrive at the same moment.")
    parser.add_argument("--organizations", type=int, default=1, help="Number of organizations that share the calls.")
    parser.add_argument("--seconds", type=float, default=7.0, help="Seconds that the model takes.")
    parser.add_argument("--rounds", type=int, default=3, help="Number of rounds.")
    options = parser.parse_args()
    raise_open_file_limit()
    print(json.dumps(measure(options), indent=2))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start a server and send the calls in each round. Returns one result for each round."""
    with create_environment(options.database) as environment:
        environment.openai.always(answer("ok", after=options.seconds))
        url = environment.start_server()
        organizations = [add_organization(environment, f"ngo-{n}", url) for n in range(options.organizations)]
        callers = [Caller(each.url, each.token, options.mode) for each in organizations]
        server_process = environment.running[0].process.pid
        rounds = []
        for number in range(1, options.rounds + 1):
            print_progress(f"round {number} of {options.rounds}")
            before = count_requests(environment)
            replies, threads, megabytes = asyncio.run(
                send_calls(callers, options.calls, number * options.calls, server_process)
            )
            pending = {reply.call_id for reply in replies if reply.outcome == "pending"}
            resumed_after = wait_for_resumptions(environment, pending)
            time.sleep(SETTLE_SECONDS)
            resumptions = count_resumptions(environment)
            seconds = sorted(reply.seconds for reply in replies)
            rounds.append(
                {
                    "replies": dict(Counter(reply.outcome for reply in replies)),
                    "reply_s_median": round(statistics.median(seconds), 2),
                    "reply_s_max": round(seconds[-1], 2),
                    "late": sum(reply.is_late for reply in replies),
                    "resumed": len(pending & resumptions.keys()),
                    "lost": len(pending - resumptions.keys()),
                    "resumed_twice_or_more": sum(resumptions[call] > 1 for call in pending),
                    "all_resumed_after_s": round(resumed_after, 1),
                    "openai_requests": count_requests(environment) - before,
                    "peak_threads": threads,
                    "peak_mb": megabytes,
                }
            )
        return {key: getattr(options, key) for key in ("database", "mode", "calls", "organizations")} | {
            "rounds": rounds
        }


def count_requests(environment: Any) -> int:
    """Return the number of answers that OpenAI was asked for."""
    return sum(request.method == "POST" for request in environment.openai.requests)


async def send_calls(
    callers: list[Caller], calls: int, first_contact: int, server_process: int
) -> tuple[list[Reply], int, int]:
    """Send the calls at the same moment. Returns the replies, and the server's peak number of threads and megabytes."""
    sending = asyncio.create_task(send_together(callers, calls, first_contact))
    memory, threads = PeakMemory(server_process), 0
    while not sending.done():
        memory.sample()
        threads = max(threads, count_threads(server_process))
        await asyncio.sleep(SAMPLE_SECONDS)
    return sending.result(), threads, round(memory.rss_mb)


def count_threads(process: int) -> int:
    """Return the number of threads of a process."""
    return len(list(Path(f"/proc/{process}/task").iterdir()))


if __name__ == "__main__":
    main()
