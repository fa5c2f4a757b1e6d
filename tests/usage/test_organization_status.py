"""Organization status: the list that administrators see."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from glific_gpt.clock import now
from glific_gpt.database import db, transaction
from glific_gpt.organizations.credentials.tables import Credential
from glific_gpt.organizations.tables import Organization
from glific_gpt.usage.alerts import AlertCode
from glific_gpt.usage.key_status import KeyState
from glific_gpt.usage.organization_status import OrganizationStatus, list_organization_statuses
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

HOUR = timedelta(hours=1)


def statuses_of(server: RunningServer) -> list[OrganizationStatus]:
    with server.app.app_context(), transaction() as session:
        return list_organization_statuses(session, server.services.model_provider.name)


def key_of(organization: TestOrganization) -> KeyState:
    return next(status.key for status in statuses_of(organization.server) if status.slug == organization.slug)


def mark_verified(organization: TestOrganization) -> None:
    """Mark the key as accepted by OpenAI when it was saved."""
    with organization.server.app.app_context(), transaction() as session:
        key = session.scalars(
            sa.select(Credential).join(Organization).where(Organization.slug == organization.slug)
        ).one()
        key.verified_at = now()


@contextmanager
def recorded_statements(server: RunningServer) -> Iterator[list[str]]:
    """Yield the list of SQL statements that run inside the block."""
    statements: list[str] = []

    def append(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    with server.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", append)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", append)


def test_a_server_without_organizations_has_an_empty_list(server: RunningServer) -> None:
    assert statuses_of(server) == []


def test_organizations_with_the_same_alert_are_sorted_by_name(server: RunningServer) -> None:
    for slug, name in (("x", "zebra"), ("y", "Asha"), ("z", "bright")):
        server.add_organization(slug).change(name=name)
    assert [status.name for status in statuses_of(server)] == ["Asha", "bright", "zebra"]


def test_it_has_the_last_call_and_the_counts_of_the_last_day(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    latest = now() - HOUR
    create_call(alice, at=latest)
    create_call(alice, "error", at=now() - 23 * HOUR, error_code="rate_limited")
    create_call(alice, "interrupted", at=now() - 23 * HOUR)
    create_call(alice, "error", at=now() - 25 * HOUR, error_code="rate_limited")
    old = now() - timedelta(days=200)
    create_call(bob, at=old)
    server.add_organization("carol", is_active=False)
    of_alice, of_bob, of_carol = statuses_of(server)
    assert (of_alice.last_call_at, of_alice.calls, of_alice.failures) == (latest, 3, 2)
    assert (of_bob.last_call_at, of_bob.calls, of_bob.failures) == (old, 0, 0)
    assert (of_carol.last_call_at, of_carol.calls, of_carol.is_active) == (None, 0, False)


def test_a_key_is_missing_inactive_or_unverified(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization
) -> None:
    bob.switch_key(on=False)
    server.add_organization("carol", key="")
    keys = {status.slug: status.key for status in statuses_of(server)}
    assert keys == {"alice": KeyState.UNVERIFIED, "bob": KeyState.INACTIVE, "carol": KeyState.MISSING}


def test_a_key_is_ok_once_openai_accepted_it_or_answered(alice: TestOrganization, bob: TestOrganization) -> None:
    mark_verified(alice)
    create_call(bob)
    assert (key_of(alice), key_of(bob)) == (KeyState.OK, KeyState.OK)


def test_the_last_result_of_the_key_decides(alice: TestOrganization) -> None:
    mark_verified(alice)
    for code, expected in (("invalid_api_key", KeyState.REFUSED), ("insufficient_quota", KeyState.OUT_OF_CREDIT)):
        create_call(alice, "error", error_code=code)
        assert key_of(alice) == expected
    create_call(alice, "error", error_code="credential_inactive", model_asked="gpt-4o")
    assert key_of(alice) == KeyState.OUT_OF_CREDIT
    create_call(alice)
    assert key_of(alice) == KeyState.OK
    create_call(
        alice, "error", error_code="insufficient_quota", model_used="gpt-4o"
    )  # two requests, one of them refused
    assert key_of(alice) == KeyState.OUT_OF_CREDIT


def test_a_new_key_ignores_errors_of_the_previous_one(alice: TestOrganization) -> None:
    create_call(alice, "error", error_code="invalid_api_key")
    alice.set_key("sk-proj-another-0123456789-anot")
    assert key_of(alice) == KeyState.UNVERIFIED


def test_the_key_state_ignores_other_organizations(alice: TestOrganization, bob: TestOrganization) -> None:
    create_call(bob, "error", error_code="invalid_api_key")
    assert (key_of(alice), key_of(bob)) == (KeyState.UNVERIFIED, KeyState.REFUSED)


def test_the_number_of_queries_does_not_grow_with_organizations(server: RunningServer) -> None:
    counts = []
    for slugs in (("a",), ("b", "c", "d")):
        for slug in slugs:
            create_call(server.add_organization(slug))
        with recorded_statements(server) as statements:
            assert statuses_of(server)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 7


def test_the_worst_alert_comes_first_and_what_is_switched_off_last(server: RunningServer) -> None:
    for slug in ("all-fail", "broke", "budget", "fine", "some-fail"):
        organization = server.add_organization(slug)
        mark_verified(organization)
    server.add_organization("off", is_active=False)
    server.add_organization("new", key="")
    by_slug = {slug: TestOrganization(server, slug, "", "") for slug in ("all-fail", "broke", "budget", "some-fail")}
    for _ in range(19):
        create_call(by_slug["all-fail"], "error", error_code="deadline_exceeded")
        create_call(by_slug["some-fail"], "error", error_code="deadline_exceeded")
    create_call(by_slug["some-fail"])
    create_call(by_slug["broke"], "error", error_code="insufficient_quota")
    by_slug["budget"].change(monthly_budget_usd=Decimal(1))
    create_call(by_slug["budget"], "error", error_code="budget_exceeded")
    found = [(status.slug, status.alert and status.alert.code, status.is_serious) for status in statuses_of(server)]
    assert found == [
        ("broke", AlertCode.OUT_OF_CREDIT, True),
        ("budget", AlertCode.BUDGET_USED, True),
        ("all-fail", AlertCode.MANY_FAILURES, True),
        ("new", AlertCode.KEY_MISSING, False),
        ("some-fail", AlertCode.MANY_FAILURES, False),
        ("fine", None, False),
        ("off", None, False),
    ]
