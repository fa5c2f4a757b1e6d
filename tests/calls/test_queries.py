"""Filters, pagination and export of recorded calls."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from glific_gpt.calls import queries
from glific_gpt.calls.filters import NO_FILTERS, Filters
from glific_gpt.calls.queries import Order
from glific_gpt.calls.tables import Call
from glific_gpt.clock import now
from glific_gpt.database import db, transaction
from glific_gpt.errors import NotFound
from glific_gpt.organizations import store
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MARCH_9, MARCH_10 = date(2026, 3, 9), date(2026, 3, 10)


def get_organization_id(organization: TestOrganization) -> int:
    with organization.server.app.app_context(), transaction() as session:
        return store.find(session, organization.slug).id


def list_ids(
    organization: TestOrganization, filters: Filters = NO_FILTERS, *, before: str | None = None, limit: int = 100
) -> list[str]:
    organization_id = get_organization_id(organization)
    with organization.server.app.app_context(), transaction() as session:
        rows = queries.list_calls(session, organization_id, filters=filters, before=before, limit=limit)
    return [row.call_id for row in rows]


def export_ids(
    organization: TestOrganization, filters: Filters = NO_FILTERS, limit: int = queries.MAX_EXPORTED_ROWS
) -> list[str]:
    with organization.server.app.app_context():
        return [
            row.call_id
            for row in queries.iterate_calls(get_organization_id(organization), filters, limit=limit, batch=2)
        ]


def list_filter_choices(organization: TestOrganization) -> tuple[list[str], list[str]]:
    """Return the models and the error codes to choose from."""
    organization_id = get_organization_id(organization)
    with organization.server.app.app_context(), transaction() as session:
        return queries.recent_models(session, organization_id), queries.recent_error_codes(session, organization_id)


def test_a_day_filter_covers_the_whole_utc_day(alice: TestOrganization) -> None:
    moments = (
        MIDNIGHT - timedelta(days=1) - MICROSECOND,
        MIDNIGHT - timedelta(days=1),
        MIDNIGHT - MICROSECOND,
        MIDNIGHT,
    )
    eighth, first, last, tenth = (create_call(alice, at=moment) for moment in moments)
    assert list_ids(alice, Filters(first_day=MARCH_9, last_day=MARCH_9)) == [last, first]
    assert list_ids(alice, Filters(first_day=MARCH_9)) == [tenth, last, first]
    assert list_ids(alice, Filters(last_day=MARCH_9)) == [last, first, eighth]
    assert list_ids(alice, Filters(first_day=MARCH_10, last_day=MARCH_9)) == []


def test_a_day_filter_can_be_in_another_time_zone(alice: TestOrganization) -> None:
    india = ZoneInfo("Asia/Kolkata")
    start = datetime(2026, 3, 8, 18, 30, tzinfo=UTC)
    _before, first, last, _after = (
        create_call(alice, at=at) for at in (start - MICROSECOND, start, start + DAY - MICROSECOND, start + DAY)
    )
    assert list_ids(alice, Filters(first_day=MARCH_9, last_day=MARCH_9, zone=india)) == [last, first]
    assert len(list_ids(alice, Filters(first_day=date.min, last_day=date.max, zone=india))) == 4


@pytest.mark.both_databases
def test_calls_are_found_by_their_id_their_contact_and_their_flow(
    alice: TestOrganization, bob: TestOrganization
) -> None:
    of_contact, of_flow, other = create_call(alice, contact_id=7), create_call(alice, flow_id=7), create_call(alice)
    theirs = create_call(bob, contact_id=7)
    assert list_ids(alice, Filters(contact_or_flow_id=7)) == [of_flow, of_contact]
    assert list_ids(alice, Filters(call_id=other)) == [other]
    assert list_ids(alice, Filters(call_id=theirs)) == []


def test_calls_without_a_record_of_it_are_no_test_questions(alice: TestOrganization) -> None:
    test, flow, unknown = (create_call(alice, is_test=is_test) for is_test in (True, False, None))
    assert list_ids(alice, Filters(is_test=True)) == [test]
    assert list_ids(alice, Filters(is_test=False)) == [unknown, flow]


def sort_ids(
    organization: TestOrganization, order: Order, *, before: str | None = None, filters: Filters = NO_FILTERS
) -> list[str]:
    organization_id = get_organization_id(organization)
    with organization.server.app.app_context(), transaction() as session:
        rows = queries.read_sorted(session, organization_id, order, before=before, filters=filters, limit=2)
    return [row.call_id for row in rows]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("order", "column", "values"),
    [
        (Order.DURATION, "duration_ms", (900, None, 7000, 900)),
        (Order.COST, "cost_usd", (Decimal("0.000000002"), None, Decimal(2), Decimal("0.000000002"))),
    ],
)
def test_sorted_calls_have_pages(
    alice: TestOrganization, bob: TestOrganization, order: Order, column: str, values: tuple[Any, ...]
) -> None:
    create_call(bob, **{column: values[2]})
    older, without, greatest, newer = (create_call(alice, **{column: value}) for value in values)
    assert sort_ids(alice, order) == [greatest, newer]
    assert sort_ids(alice, order, before=newer) == [older, without]
    assert sort_ids(alice, order, before=without) == []
    assert sort_ids(alice, Order.NEWEST, before=newer) == [greatest, without]
    assert sort_ids(alice, order, filters=Filters(call_id=older)) == [older]


def test_only_the_newest_calls_are_sorted_and_counted(
    alice: TestOrganization, bob: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_SORTED", 2)
    monkeypatch.setattr(queries, "MAX_COUNTED", 2)
    made = [create_call(alice, duration_ms=duration) for duration in (9000, 10, 20, 30)]
    for _ in range(2):
        create_call(bob)
    assert sort_ids(alice, Order.DURATION) == made[:1:-1]
    organization_id = get_organization_id(alice)
    with alice.server.app.app_context(), transaction() as session:
        assert queries.count_calls(session, organization_id) == 3
        assert queries.count_calls(session, organization_id, Filters(call_id=made[0])) == 1
        assert queries.count_calls(session, organization_id, Filters(status="error")) == 0


def test_the_minimum_and_maximum_dates_are_valid_filters(alice: TestOrganization) -> None:
    call_id = create_call(alice)
    assert list_ids(alice, Filters(first_day=date.min, last_day=date.max)) == [call_id]
    assert list_ids(alice, Filters(first_day=date.max)) == []
    assert list_ids(alice, Filters(last_day=date.min)) == []


def test_a_model_filter_matches_the_requested_or_the_used_model(alice: TestOrganization) -> None:
    call_id = create_call(alice, model_asked="gpt-5", model_used="gpt-5-2025-08-07")
    create_call(alice)
    for model in ("gpt-5", "gpt-5-2025-08-07"):
        assert list_ids(alice, Filters(model=model)) == [call_id]
    assert list_ids(alice, Filters(model="gpt")) == []


def test_filters_are_combined(alice: TestOrganization) -> None:
    expected_id = create_call(alice, "error", at=MIDNIGHT, error_code="refused")
    create_call(alice, "error", at=MIDNIGHT, error_code="rate_limited")
    create_call(alice, "error", at=MIDNIGHT - MICROSECOND, error_code="refused")
    create_call(alice, "error", at=MIDNIGHT, error_code="refused", model_asked="gpt-5")
    create_call(alice, "pending", at=MIDNIGHT, error_code="refused")
    filters = Filters("error", MARCH_10, MARCH_10, model="gpt-4o", error_code="refused")
    assert list_ids(alice, filters) == export_ids(alice, filters) == [expected_id]


def test_pagination_respects_the_filter(alice: TestOrganization) -> None:
    ids = []
    for _ in range(3):
        ids.append(create_call(alice, "error", error_code="refused"))
        create_call(alice)
    refused = Filters(error_code="refused")
    assert list_ids(alice, refused, limit=2) == [ids[2], ids[1]]
    assert list_ids(alice, refused, limit=2, before=ids[1]) == [ids[0]]


def test_a_page_cannot_start_at_another_organizations_call(alice: TestOrganization, bob: TestOrganization) -> None:
    other_call_id = create_call(bob)
    for before in (other_call_id, "call_0", ""):
        with pytest.raises(NotFound, match="no call with this id"):
            list_ids(alice, Filters(status="ok"), before=before)


def test_the_filter_choices_come_from_recent_calls(alice: TestOrganization, bob: TestOrganization) -> None:
    assert list_filter_choices(alice) == ([], [])
    create_call(alice)
    create_call(alice, "error", error_code="refused", model_asked="gpt-5")
    create_call(alice, "error", error_code="invalid_json", model_asked=None)
    create_call(alice, "error", at=now() - timedelta(days=91), error_code="rate_limited", model_asked="gpt-4")
    create_call(bob, "error", error_code="unknown_function", model_asked="gpt-bob")
    assert list_filter_choices(alice) == (["gpt-4o", "gpt-4o-2024-08-06", "gpt-5"], ["invalid_json", "refused"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_most_used_models_are_filter_choices(alice: TestOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_MODELS", 2)
    for model in ("gpt-a", "gpt-z", "gpt-z", "gpt-y", "gpt-x", "gpt-y"):
        create_call(alice, "error", model_asked=model)
    assert list_filter_choices(alice)[0] == ["gpt-y", "gpt-z"]
    create_call(alice, model_asked=None, model_used="gpt-x")
    create_call(alice, model_asked=None, model_used="gpt-x")
    assert list_filter_choices(alice)[0] == ["gpt-x", "gpt-y"]


def test_the_filter_choices_come_from_a_limited_number_of_calls(
    alice: TestOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "RECENT_ROWS", 100)
    create_call(alice, at=now() - timedelta(days=1), model_asked="gpt-4")
    assert "gpt-4" in list_filter_choices(alice)[0]
    recent = {"organization_id": get_organization_id(alice), "function": "f", "model_asked": "gpt-5", "status": "ok"}
    many = [
        recent | {"call_id": f"call_{number:x}", "started_at": now(), "give_up_at": now()}
        for number in range(queries.RECENT_ROWS)
    ]
    with alice.server.app.app_context(), transaction() as session:
        session.execute(insert(Call), many)
    assert list_filter_choices(alice)[0] == ["gpt-5"]


def test_an_export_has_every_call_once_newest_first(alice: TestOrganization, bob: TestOrganization) -> None:
    ids: list[str] = []
    for _ in range(5):
        ids.insert(0, create_call(alice))
        create_call(bob)
    assert export_ids(alice) == ids
    assert export_ids(alice, limit=4) == ids[:4]
    assert export_ids(alice, limit=3) == ids[:3]
    assert export_ids(alice, limit=0) == []


def test_new_calls_during_an_export_do_not_shift_it(alice: TestOrganization) -> None:
    ids = [create_call(alice) for _ in range(4)][::-1]
    with alice.server.app.app_context():
        exported_ids = []
        for row in queries.iterate_calls(get_organization_id(alice), batch=2):
            exported_ids.append(row.call_id)
            create_call(alice)
    assert exported_ids == ids


def test_no_transaction_is_open_while_an_export_waits_for_its_reader(
    server: RunningServer, alice: TestOrganization
) -> None:
    for _ in range(5):
        create_call(alice)
    with server.app.app_context():
        pools = [engine.pool for engine in db.engines.values()]
        for _ in queries.iterate_calls(get_organization_id(alice), batch=2):
            assert [pool.checkedout() for pool in pools] == [0] * len(pools)  # type: ignore[attr-defined] # of a queue


def test_an_export_shows_killed_calls_as_interrupted(alice: TestOrganization) -> None:
    create_call(alice, "started", at=now() - timedelta(minutes=1))
    with alice.server.app.app_context():
        (row,) = queries.iterate_calls(get_organization_id(alice), batch=2)
    assert row.status == "interrupted"
