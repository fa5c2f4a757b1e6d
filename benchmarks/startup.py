"""Start-up: time until the server responds, and the duration of its first ten calls."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks import server, upstreams
from benchmarks.databases import sqlite_database
from benchmarks.programs import run_program
from benchmarks.progress import print_progress
from benchmarks.targets import Target
from tests.support.programs import SERVER

FIRST_CALLS = 10


def measure(starts: int) -> list[dict[str, Any]]:
    """Return, for each start, the seconds until /livez responds and the milliseconds of the first calls after it."""
    results = []
    with upstreams.run_fast_upstream() as upstream, sqlite_database() as database:
        environ = server.build_environment(database, upstream)
        server.migrate(environ)
        target = server.create_organization(environ)
        for number in range(1, starts + 1):
            print_progress(f"startup: start {number} of {starts}")
            started_at = time.perf_counter()
            with run_program(SERVER, f"http://{environ['GLIFIC_GPT_BIND']}/livez", environ):
                seconds = time.perf_counter() - started_at
                results.append({"seconds": seconds, "first_calls_ms": _time_first_calls(target)})
    return results


def _time_first_calls(target: Target) -> list[float]:
    address = urlsplit(target.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    times = []
    for _ in range(FIRST_CALLS):
        sent_at = time.perf_counter()
        connection.request("POST", address.path, json.dumps(target.body), target.headers)
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - sent_at) * 1000)
        if response.status != 200:
            raise RuntimeError(f"One of the first calls failed with the status {response.status}.")
    connection.close()
    return times
