"""Attacks on the shares of a process: many slow calls, beside which those of another organization are answered."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from benchmarks import upstreams
from benchmarks.abuse.setting import ATTACKERS, OTHER, Measured, Setting, key_of
from benchmarks.fairness import UPSTREAM_SECONDS, Calls, send_bursts
from benchmarks.slow_organizations import Waits, call_all

CALLS = 1000
BURSTS = 2
DEFERRED_CALLS = 60
"""Calls of each slow organization: more than a worker answers at the same time for one."""
DEFERRED_SECONDS = 30.0


def measure_mode(mode: str) -> Callable[[Setting], Measured]:
    """Return the attack in this mode."""

    def measure(setting: Setting) -> Measured:
        with (
            upstreams.run_slow_upstream_for_most(UPSTREAM_SECONDS, key_of(OTHER)) as upstream,
            setting.observed(upstream) as measured,
        ):
            calls = send_bursts(replace(setting.attacker, mode=mode), CALLS, BURSTS)
            measured.replies.update({"answered": len(calls.ended)} | calls.failures)
        return measured

    return measure


def measure_deferred(setting: Setting) -> Measured:
    """Fill the worker with the deferred calls of four organizations.

    The times are those of the other organization's deferred calls, until their flows are resumed.
    """
    callers = [replace(setting.callers[slug], mode="async") for slug in ATTACKERS]
    with (
        upstreams.run_slow_upstream_for_most(DEFERRED_SECONDS, key_of(OTHER)) as upstream,
        setting.observed(upstream) as measured,
    ):
        waits = asyncio.run(call_all(callers, replace(setting.other, mode="async"), setting.glific, DEFERRED_CALLS))
        measured.replies["pending"] = len(callers) * DEFERRED_CALLS
    measured.observation.calls = _to_calls(waits, measured.observation.calls)
    return measured


def _to_calls(waits: Waits, beside: Calls) -> Calls:
    """Return the deferred calls, with the failures of the other calls beside them."""
    calls = Calls(milliseconds=[seconds * 1000 for seconds in waits.seconds], failures=beside.failures)
    calls.ended = list(waits.seconds)
    calls.failures["refused"] += waits.refused
    calls.failures["no answer"] += waits.without_answer
    return calls
