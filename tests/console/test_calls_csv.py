"""CSV export of calls: its content, and the escaping of formulas."""

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from glific_gpt.calls import queries
from glific_gpt.console.presenters import calls_csv
from glific_gpt.console.views import calls as calls_view
from glific_gpt.schemas import CallView
from tests.calls.test_queries import get_organization_id
from tests.console.users import ConsoleUser
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

HERE = "/console/organizations/alice/calls"


def sheet(person: ConsoleUser, query: str = "") -> list[dict[str, str]]:
    """Return the rows of the file."""
    text = person.get(f"{HERE}.csv{query}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_follows_the_filters(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    failed = create_call(alice, "error", error_code="refused")
    answer = viewer.get(f"{HERE}.csv?status=error")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'attachment; filename="calls-alice-[\d-]{10}\.csv"', answer.headers["Content-Disposition"])
    assert answer.content.startswith(b"\xef\xbb\xbfcall_id,")
    (line,) = sheet(viewer, "?status=error")
    assert (line["call_id"], line["status"], line["error_code"]) == (failed, "error", "refused")


def test_times_are_in_the_time_zone_of_the_organization(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, at=datetime(2026, 10, 31, 19, tzinfo=UTC))
    assert sheet(viewer)[0]["at"] == "2026-10-31T19:00:00.000Z"
    alice.change(time_zone="Asia/Kolkata")
    assert sheet(viewer)[0]["at"] == "2026-11-01T00:30:00.000+05:30"
    assert sheet(viewer, "?first_day=2026-11-01&last_day=2026-11-01")


def test_small_sums_are_written_without_an_exponent(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, cost_usd=Decimal("0.000012"))
    assert sheet(viewer)[0]["cost_usd"].rstrip("0") == "0.000012"


def test_the_export_has_more_calls_than_a_page(alice: TestOrganization, viewer: ConsoleUser) -> None:
    made = [create_call(alice) for _ in range(52)]
    assert [line["call_id"] for line in sheet(viewer)] == made[::-1]


def test_the_last_line_says_that_there_are_more_calls(server: RunningServer, alice: TestOrganization) -> None:
    made = [create_call(alice) for _ in range(3)][::-1]
    with server.app.test_request_context():
        limited, complete = (
            list(calls_csv.generate_csv(queries.iterate_calls(get_organization_id(alice)), number)) for number in (2, 3)
        )
    assert [line.partition(",")[0] for line in limited[1:]] == [
        *made[:2],
        "Only the newest 2 calls are in this file.\r\n",
    ]
    assert [line.partition(",")[0] for line in complete[1:]] == made


def test_the_list_says_how_many_calls_an_export_has(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    assert "An export contains at most the newest 50,000 calls." in viewer.get(HERE).text


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_escaped(formula: str) -> None:
    assert calls_csv.escape_formula(formula) == f"'{formula}"


def test_the_cells_are_the_values_of_the_api(server: RunningServer, alice: TestOrganization) -> None:
    create_call(alice, "error", error_code="refused", model_asked="gpt-4o")
    with server.app.test_request_context():
        (call,) = queries.iterate_calls(get_organization_id(alice))
        values = CallView.of(call).model_dump(mode="json")
        assert dict(zip(calls_csv.COLUMNS, calls_csv.list_cells(call), strict=True)) == values | {"cost_usd": None}


def test_an_organization_makes_one_export_at_a_time(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    with calls_view.organization_exports.hold("alice"):
        answer = viewer.get(f"{HERE}.csv")
        assert answer.status_code == 429
        assert "An export of calls is running already." in answer.text
        assert viewer.get(HERE).status_code == 200
    for _ in range(3):  # each releases its slots
        assert len(sheet(viewer)) == 1


def test_two_exports_of_all_organizations_run_at_the_same_time(
    alice: TestOrganization, viewer: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls_view, "EXPORT_TIMEOUT_SECONDS", 0.1)
    create_call(alice)
    assert calls_view.export_slot.acquire("bob", 1)
    try:
        assert len(sheet(viewer)) == 1
        assert calls_view.export_slot.acquire("carol", 1)
        try:
            assert viewer.get(f"{HERE}.csv").status_code == 429
        finally:
            calls_view.export_slot.release()
        assert len(sheet(viewer)) == 1
    finally:
        calls_view.export_slot.release()


def test_numbers_and_other_texts_are_unchanged(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, "error", error_code="model_not_found", model_asked='=HYPERLINK("http://evil.example")')
    (line,) = sheet(viewer)
    assert line["model"] == '\'=HYPERLINK("http://evil.example")'
    assert line["duration_ms"] == "1000"
