"""Request limits: calls per minute of an organization and of a contact."""

import socket
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from tests.conftest import StartServer
from tests.support.glific_stand_in import GlificStandIn
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.platforms import skip_or_fail
from tests.support.programs import free_port
from tests.support.server import TestOrganization
from tests.webhooks.assertions import get_code, require_error, require_ok
from tests.webhooks.concurrency import call_concurrently

MINUTE = timedelta(minutes=1)
REDIS = "redis://127.0.0.1:6379"

SAME_CONTACT: tuple[dict[str, Any], ...] = (
    {"contact_id": 7},
    {"contact_id": 7.0},
    {"contact_id": "7"},
    {"contact_id": " 7.0 "},
    {"contact": {"id": "7"}},
    {"contact": {"id": 7.0}},
    {"contact_id": "@contact.id", "contact": {"id": 7}},
)
NO_CONTACT: tuple[dict[str, Any], ...] = ({}, {"contact_id": "asha"}, {"contact": "@contact"}, {"contact_id": -7})


def test_an_organization_has_a_limit_of_calls_per_minute(
    alice: TestOrganization, bob: TestOrganization, openai: OpenAIStandIn
) -> None:
    alice.change(calls_per_minute=3, fallback_message="Please wait.")
    for contact in (21, 22, 23):
        require_ok(alice.ask(contact_id=contact))
    refused = alice.ask(contact_id=24)
    error = require_error(refused, "rate_limited", "Please wait.")["error"]
    assert error == (
        "This organization has reached its limit of calls per minute (3). "
        "Wait a minute, or raise the limit in the organization's settings."
    )
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert len(openai.requests) == 3
    assert alice.calls()[0]["error_code"] == "rate_limited"
    require_ok(bob.ask())
    with time_machine.travel(datetime.now(UTC) + MINUTE + timedelta(seconds=1)):
        require_ok(alice.ask())
    alice.change(calls_per_minute=None)
    require_ok(alice.ask())


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"contact_calls_per_minute": 1}, "rate_limited"), ({"contact_daily_limit": 1}, "contact_limit")],
)
def test_every_spelling_of_a_contact_id_counts_for_the_same_limit(
    alice: TestOrganization, limit: dict[str, int], code: str
) -> None:
    alice.change(**limit)
    require_ok(alice.ask(**SAME_CONTACT[0]))
    assert [get_code(alice.ask(**contact)) for contact in SAME_CONTACT] == [code] * len(SAME_CONTACT)
    require_ok(alice.ask(contact_id=8))


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"contact_calls_per_minute": 1}, "rate_limited"), ({"contact_daily_limit": 1}, "contact_limit")],
)
def test_calls_without_a_contact_have_a_limit_of_their_own(
    alice: TestOrganization, bob: TestOrganization, limit: dict[str, int], code: str
) -> None:
    for organization in (alice, bob):
        organization.change(**limit)
        require_ok(organization.ask())
    refused = [alice.ask(**contact) for contact in NO_CONTACT]
    assert {get_code(reply) for reply in refused} == {code}
    assert '"contact": "@contact"' in require_error(refused[0], code)["error"]
    require_ok(alice.ask(contact_id=7))


def test_refused_calls_of_a_contact_do_not_count_against_the_organization(alice: TestOrganization) -> None:
    alice.change(calls_per_minute=2, contact_calls_per_minute=1)
    codes = [get_code(alice.ask(contact_id=contact)) for contact in (7, 7, 7, 8, 9)]
    assert codes == ["ok", "rate_limited", "rate_limited", "ok", "rate_limited"]


def test_a_call_that_fails_an_earlier_check_is_not_counted(alice: TestOrganization) -> None:
    alice.change(calls_per_minute=1, allowed_models=["gpt-4o"])
    require_error(alice.ask(""), "empty_question")
    require_error(alice.ask(gpt_model="gpt-4o-mini"), "model_not_allowed")
    require_ok(alice.ask())
    require_error(alice.ask(gpt_model="gpt-4o-mini"), "model_not_allowed")
    require_error(alice.ask(), "rate_limited")


def test_a_repeated_call_gets_its_stored_answer_and_is_not_counted(alice: TestOrganization) -> None:
    alice.change(calls_per_minute=1)
    body, headers = {"question_text": "What is ORS?"}, {"Idempotency-Key": "a-key"}
    assert {get_code(alice.post(body, headers=headers)) for _ in range(3)} == {"ok"}


def test_the_limit_holds_against_concurrent_calls(alice: TestOrganization, openai: OpenAIStandIn) -> None:
    alice.change(calls_per_minute=5)
    codes = Counter(get_code(reply) for reply in call_concurrently(20, lambda _: alice.ask()))
    assert codes == {"ok": 5, "rate_limited": 15}
    assert len(openai.requests) == 5


def test_calls_of_every_mode_count(alice: TestOrganization, glific: GlificStandIn) -> None:
    alice.connect(glific)
    alice.change(calls_per_minute=3)
    codes = [get_code(alice.ask_deferred(mode)) for mode in ("sync", "async", "auto", "async", "auto", "sync")]
    assert codes == ["ok", "pending", "ok", *["rate_limited"] * 3]


def test_with_redis_all_processes_count_together(start_server: StartServer) -> None:
    parts = urlsplit(REDIS)
    try:
        socket.create_connection((str(parts.hostname), parts.port or 0), timeout=1).close()
    except OSError:
        skip_or_fail("no Redis is running")
    servers = [start_server(rate_limit_storage_url=REDIS) for _ in range(2)]
    alice = servers[0].add_organization("alice", calls_per_minute=4)
    empty_redis()
    codes = []
    for number in range(6):
        alice.server = servers[number % 2]
        codes.append(get_code(alice.ask()))
    assert codes == ["ok"] * 4 + ["rate_limited"] * 2


def empty_redis() -> None:
    """Delete the counters of earlier tests: every test has an organization 1."""
    with socket.create_connection(("127.0.0.1", 6379), timeout=5) as connection:
        connection.sendall(b"EVAL \"for _, k in ipairs(redis.call('keys', '*glific_gpt/1*')) do ")
        connection.sendall(b"redis.call('del', k) end\" 0\r\n")
        connection.recv(100)


def test_without_its_redis_the_server_lets_calls_through_and_logs_it_once(
    start_server: StartServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start_server(rate_limit_storage_url=f"redis://127.0.0.1:{free_port()}")
    alice = server.add_organization("alice", calls_per_minute=1, contact_calls_per_minute=1)
    for _ in range(4):
        require_ok(alice.ask())
    assert capfd.readouterr().err.count("rate_limit_storage_failed") == 1
