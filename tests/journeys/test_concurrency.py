"""Many concurrent calls of one process: all are answered, and each is recorded before its reply."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from tests.support.openai_behaviours import answer
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.serving import run_server_processes
from tests.webhooks.assertions import require_ok

pytestmark = pytest.mark.both_databases

CALLS = 90
OPENAI_SECONDS = 1.5


def test_calls_wait_at_the_same_time(tmp_path: Path, database_url: str, openai: OpenAIStandIn) -> None:
    openai.always(answer("Salt.", after=OPENAI_SECONDS))
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url}
    with (
        run_server_processes(tmp_path / "log", is_forked=True, deadline_seconds=60, **settings) as server,
        ThreadPoolExecutor(CALLS) as pool,
    ):
        alice = server.add_organization("alice")
        before = time.monotonic()
        answers = [require_ok(reply) for reply in pool.map(lambda _: alice.ask(), range(CALLS))]
        assert time.monotonic() - before < OPENAI_SECONDS * CALLS / 4
        assert answers == ["Salt."] * CALLS
        assert len([call for call in alice.calls() if call["status"] == "ok"]) == CALLS


def test_an_answered_call_is_recorded_although_the_server_is_killed(
    tmp_path: Path, database_url: str, openai: OpenAIStandIn
) -> None:
    settings: dict[str, Any] = {"database_url": database_url, "openai_base_url": openai.base_url}
    with run_server_processes(tmp_path / "log", is_forked=True, **settings) as server:
        alice = server.add_organization("alice")
        call_id = alice.ask().json()["call_id"]
        server.program.send_all(SIGKILL)
        assert [(call["call_id"], call["status"]) for call in alice.calls()] == [(call_id, "ok")]
