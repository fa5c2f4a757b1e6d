"""The audit trail: recording, listing and deletion of entries."""

from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from flask import g

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.operations.housekeeping import run_housekeeping
from glific_gpt.organizations import store
from tests.audit.reading import entries, lines
from tests.support.server import RunningServer, TestOrganization

pytestmark = pytest.mark.both_databases


def test_an_entry_has_actor_action_organization_detail_and_time(server: RunningServer, alice: TestOrganization) -> None:
    before = now()
    with server.app.app_context(), transaction() as session:
        g.actor = "asha@example.org"
        trail.record(session, Action.TOKEN_REVOKED, store.find(session, "alice").id, token=7, label="menu flow")
    entry = entries(server)[0]
    assert (entry.actor, entry.action, entry.detail) == (
        "asha@example.org",
        "token_revoked",
        {"token": 7, "label": "menu flow"},
    )
    assert (entry.slug, entry.organization) == ("alice", "Alice")
    assert before <= entry.at <= now()


def test_the_default_actor_is_the_server(server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        trail.record(session, Action.KEYS_ROTATED)
    (entry,) = entries(server)
    assert (entry.actor, entry.slug, entry.organization, entry.detail) == ("server", None, None, {})


def test_a_long_actor_is_truncated(server: RunningServer) -> None:
    with server.app.app_context(), transaction() as session:
        g.actor = "a" * 300
        trail.record(session, Action.KEYS_ROTATED)
    assert [entry.actor for entry in entries(server)] == ["a" * 255]


def test_a_change_that_is_rolled_back_gives_no_entry(server: RunningServer) -> None:
    with server.app.app_context(), suppress(ZeroDivisionError), transaction() as session:
        store.create(session, "alice", "Alice")
        session.flush()
        assert trail.list_entries(session, None) != []
        raise ZeroDivisionError
    assert entries(server) == []


def test_an_organization_sees_only_its_own_entries(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    alice.change(default_model="gpt-4.1")
    with server.app.app_context(), transaction() as session:
        trail.record(session, Action.KEYS_ROTATED)
    assert {entry.slug for entry in entries(server)} == {"alice", "bob", None}
    assert {entry.slug for entry in entries(server, "bob")} == {"bob"}
    assert "organization_changed" not in {line.action for line in lines(server, "bob")}


def test_entries_are_listed_in_pages_newest_first(server: RunningServer, alice: TestOrganization) -> None:
    expected = entries(server, "alice")
    read = []
    before = None
    with server.app.app_context(), transaction() as session:
        alices = store.find(session, "alice").id
        while page := trail.list_entries(session, alices, limit=2, before=before):
            assert len(page) <= 2
            read += page
            before = page[-1].id
    assert read == expected
    assert len(read) == 3
    assert [entry.id for entry in read] == sorted((entry.id for entry in read), reverse=True)


def test_an_entry_is_deleted_after_four_hundred_days(server: RunningServer) -> None:
    server.add_organization("alice", key="")
    with time_machine.travel(now() + timedelta(days=399)):
        server.add_organization("bob", key="")
        run_housekeeping(server.app)
    assert {entry.slug for entry in entries(server)} == {"alice", "bob"}
    with time_machine.travel(now() + timedelta(days=401)):
        run_housekeeping(server.app)
    assert {entry.slug for entry in entries(server)} == {"bob"}


def test_changes_of_one_organization_do_not_slow_the_count_of_links_of_a_person(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MAX_COUNTED_ROWS", 4)
    counts = []
    for day in range(2):
        with server.app.app_context(), transaction() as session, time_machine.travel(now() + timedelta(days=day)):
            since = now() - timedelta(hours=1)
            for _ in range(2):
                trail.record(session, Action.SIGN_IN_LINK_MADE, email="asha@example.org")
            session.flush()
            for _ in range(2 + day):
                trail.record(session, Action.KEYS_ROTATED)
            session.flush()
            counts.append(
                [
                    trail.count_entries_about(session, email, Action.SIGN_IN_LINK_MADE, since)
                    for email in ("asha@example.org", "ravi@example.org")
                ]
            )
    assert counts == [[2, 0], [1, 0]]
