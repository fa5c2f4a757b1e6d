"""The monthly report of an organization and of all, on the page and as CSV, and the rate of the rupee."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from glific_gpt.calls import pruning
from glific_gpt.clock import now
from glific_gpt.database import transaction
from glific_gpt.organizations.tables import Organization
from tests.console.users import ConsoleUser
from tests.support.call_records import create_call
from tests.support.server import RunningServer, TestOrganization

HERE = "/console/organizations/alice/report"
SERVER = "/console/server/report"
RATE = f"{SERVER}/rate"
CARD = re.compile(
    r'<h2 class="subheader">(.*?)</h2>\s*<div class="h1 mb-1 number">(.*?)</div>\s*<div class="[^"]*">(.*?)<'
)
OPTION = re.compile(r'<option value="([\d-]+)"')


def cards(person: ConsoleUser, path: str = HERE) -> dict[str, tuple[str, str]]:
    """Return value and note of each card."""
    return {name: (value, note) for name, value, note in CARD.findall(person.get(path).text)}


def sheet(person: ConsoleUser, path: str) -> list[dict[str, str]]:
    """Return the lines of a CSV file."""
    answer = person.get(path)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def existing_since(server: RunningServer, since: datetime) -> None:
    with server.app.app_context(), transaction() as session:
        session.execute(sa.update(Organization).values(created_at=since))


@pytest.mark.both_databases
def test_it_shows_calls_people_answers_in_time_and_cost(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, contact_id=21, flow_id=5, cost_usd=Decimal("1.5"), is_test=True)
    create_call(alice, contact_id=22, flow_id=5, duration_ms=6000, model_asked="gpt-5")
    shown = cards(viewer)
    assert shown["Calls"] == ("2", "1 of them is a test question")
    assert shown["People reached"][0] == "2"
    assert shown["Answered in time"] == ("50%", "1 call: within 5 seconds, or while the flow waited")
    assert shown["Cost"] == ("$1.50", "")
    page = viewer.get(HERE).text
    assert "Flow 5" in page
    assert "gpt-5" in page


def test_paper_has_the_name_of_the_organization_and_the_period(
    alice: TestOrganization, server: RunningServer, viewer: ConsoleUser
) -> None:
    existing_since(server, datetime(2020, 1, 1, tzinfo=UTC))
    alice.change(name="Seva <Trust>", time_zone="Asia/Kolkata")
    page = viewer.get(f"{HERE}?month=2020-02").text
    heading = page.partition('<div class="paper-heading">')[2].partition("</div>\n</div>")[0]
    assert "Seva &lt;Trust&gt;" in heading
    assert "Use of ChatGPT, February 2020" in heading
    assert "1 February 2020 to 29 February 2020" in heading
    assert "The month is in the time zone Asia/Kolkata." in page
    assert "until today" in viewer.get(HERE).text


def test_a_month_without_calls_is_empty_and_an_unknown_month_is_the_current_one(
    alice: TestOrganization, server: RunningServer, viewer: ConsoleUser
) -> None:
    existing_since(server, now() - timedelta(days=70))
    create_call(alice)
    months = OPTION.findall(viewer.get(HERE).text)
    assert months[0] == f"{now():%Y-%m}"
    assert len(months) in {3, 4}
    assert "No calls in this month" in viewer.get(f"{HERE}?month={months[1]}").text
    for other in ("2019-01", "2999-01", "nonsense", "%00"):
        assert f'<option value="{months[0]}" selected>' in viewer.get(f"{HERE}?month={other}").text


def test_it_says_which_numbers_are_not_exact(
    alice: TestOrganization, server: RunningServer, viewer: ConsoleUser
) -> None:
    old = now() - timedelta(days=40)
    for _ in range(2):
        create_call(alice, at=old, contact_id=21)
    create_call(alice, at=old, contact_forgotten=True, cost_usd=None, give_up_at=now() + timedelta(days=9))
    path = f"{HERE}?month={old:%Y-%m}"
    assert "has deleted" not in viewer.get(path).text
    assert "1 call used a model without a known price." in viewer.get(path).text
    assert "The contact of 1 call is forgotten" in viewer.get(path).text
    with server.app.app_context():
        assert sum(pruning.prune(pruning.first_kept_moment(1))) == 3
    page = viewer.get(path).text
    assert "The server has deleted 3 of these calls because of their age." in page
    assert "Deleted calls: flow not known" in page
    assert cards(viewer, path)["People reached"][0] == "0"


@pytest.mark.both_databases
def test_the_administrator_sets_the_rate_of_the_rupee(
    alice: TestOrganization, administrator: ConsoleUser, viewer: ConsoleUser
) -> None:
    create_call(alice, cost_usd=Decimal(2000), model_asked="gpt-5")
    saved = administrator.post(RATE, {"rupees": " 88.4500 ", "day": "2026-11-28"})
    assert saved.status_code == 302
    assert cards(viewer)["Cost"][1] == "₹1,76,900.00"
    assert "Rupees are at ₹88.45 for one US dollar, the rate of 28 November 2026." in viewer.get(HERE).text
    assert 'value="88.45"' in administrator.get(SERVER).text
    (line,) = sheet(administrator, f"{SERVER}.csv")
    assert (Decimal(line["cost_inr"]), line["rupees_per_dollar"], line["rate_date"]) == (
        Decimal(176900),
        "88.45",
        "2026-11-28",
    )
    audit = administrator.get("/console/server/audit").text
    assert "Set the rate of reports: 88.45 rupees for one US dollar, of 2026-11-28" in audit
    administrator.post(RATE, {"rupees": "", "day": ""})
    assert cards(viewer)["Cost"][1] == ""
    assert "Removed the rate of the rupee from reports" in administrator.get("/console/server/audit").text


@pytest.mark.parametrize(
    ("locale", "cost", "rupees", "day"),
    [
        ("", "$17,43,945.00", "₹34,87,890.00", "28 November 2026"),
        ("en_GB", "US$1,743,945.00", "₹3,487,890.00", "28 November 2026"),
        ("en_US", "$1,743,945.00", "₹3,487,890.00", "November 28, 2026"),
        ("hi", "$17,43,945.00", "₹34,87,890.00", "28 नवंबर 2026"),
    ],
)
def test_numbers_and_dates_are_written_as_the_person_chooses(
    alice: TestOrganization, administrator: ConsoleUser, locale: str, cost: str, rupees: str, day: str
) -> None:
    create_call(alice, cost_usd=Decimal(1_743_945))
    administrator.post(RATE, {"rupees": "2", "day": "2026-11-28"})
    administrator.post("/console/account/language", {"language": locale}, page="/console/account/")
    page = administrator.get(HERE).text
    for written in (cost, rupees, day):
        assert written in page


def test_models_and_flows_link_to_their_calls_of_the_month(
    alice: TestOrganization, server: RunningServer, viewer: ConsoleUser
) -> None:
    existing_since(server, datetime(2020, 1, 1, tzinfo=UTC))
    create_call(alice, at=datetime(2020, 2, 3, tzinfo=UTC), flow_id=5)
    page = viewer.get(f"{HERE}?month=2020-02").text
    days = "first_day=2020-02-01&amp;last_day=2020-02-29"
    for link in ("model=gpt-4o", "flow=5"):
        assert f'<a href="/console/organizations/alice/calls?{days}&amp;{link}">' in page


@pytest.mark.parametrize(
    ("rupees", "day", "field"),
    [
        *((rupees, "2026-11-28", "rupees") for rupees in ("0", "-1", "10001", "88.12345", "NaN", "Infinity", "many")),
        ("88", "", "day"),
        ("88", "2999-01-01", "day"),
        ("88", "28/11/2026", "day"),
    ],
)
def test_a_wrong_rate_is_an_error_of_its_field(administrator: ConsoleUser, rupees: str, day: str, field: str) -> None:
    answer = administrator.post(RATE, {"rupees": rupees, "day": day})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "the rate of" not in administrator.get(SERVER).text


def test_the_file_has_a_line_for_the_total_each_model_and_each_flow(
    alice: TestOrganization, viewer: ConsoleUser
) -> None:
    alice.change(name="=Seva")
    create_call(alice, contact_id=21, flow_id=5, cost_usd=Decimal("0.00001"))
    answer = viewer.get(f"{HERE}.csv")
    assert f'filename="report-alice-{now():%Y-%m}.csv"' in answer.headers["Content-Disposition"]
    lines = sheet(viewer, f"{HERE}.csv")
    assert [(line["group"], line["name"], line["calls"]) for line in lines] == [
        ("total", "", "1"),
        ("model", "gpt-4o", "1"),
        ("flow", "Flow 5", "1"),
    ]
    assert {line["organization"] for line in lines} == {"'=Seva"}
    assert (lines[0]["time_zone"], lines[0]["month"]) == ("UTC", f"{now():%Y-%m}")
    assert (Decimal(lines[0]["cost_usd"]), "E" in lines[0]["cost_usd"]) == (Decimal("0.00001"), False)


@pytest.mark.both_databases
def test_the_administrator_sees_all_organizations_each_in_its_time_zone(
    server: RunningServer, alice: TestOrganization, bob: TestOrganization, administrator: ConsoleUser
) -> None:
    existing_since(server, datetime(2026, 8, 1, tzinfo=UTC))
    alice.change(name="Alice")
    bob.change(name="Bob", time_zone="Asia/Kolkata")
    for organization in (alice, bob):
        create_call(organization, at=datetime(2026, 9, 30, 19, tzinfo=UTC), contact_id=21)
        create_call(organization, at=datetime(2026, 9, 30, 18, tzinfo=UTC), contact_id=21)
    lines = sheet(administrator, f"{SERVER}.csv?month=2026-09")
    assert [(line["organization"], line["time_zone"], line["calls"], line["people"]) for line in lines] == [
        ("Alice", "UTC", "2", "1"),
        ("Bob", "Asia/Kolkata", "1", "1"),
    ]
    page = administrator.get(f"{SERVER}?month=2026-09").text
    assert '<a href="/console/organizations/bob/report?month=2026-09">' in page
    assert re.search(r'All organizations</th>\s*<td class="text-end" data-label="Calls">3</td>', page)


def test_an_organization_without_calls_has_no_share_of_answers(
    alice: TestOrganization, administrator: ConsoleUser
) -> None:
    line = administrator.get(SERVER).text.partition(f"/{alice.slug}/report")[2].partition("</tr>")[0]
    assert "(0%)" not in line
    create_call(alice)
    assert "(100%)" in administrator.get(SERVER).text


def test_the_report_of_another_organization_is_not_found(bob: TestOrganization, viewer: ConsoleUser) -> None:
    for path in (HERE, f"{HERE}.csv"):
        assert viewer.get(path).status_code == 200
        assert viewer.get(path.replace("alice", bob.slug)).status_code == 404
    assert viewer.get(SERVER).status_code == viewer.get(f"{SERVER}.csv").status_code == 404


def test_a_month_begins_at_the_time_of_the_organization(alice: TestOrganization, viewer: ConsoleUser) -> None:
    alice.change(time_zone="Asia/Kolkata")
    create_call(alice, at=datetime(2026, 9, 30, 19, tzinfo=UTC))  # 1 October in India
    assert "No calls in this month" not in viewer.get(f"{HERE}?month=2026-10").text
    assert date(2026, 10, 1).isoformat()[:7] == OPTION.findall(viewer.get(HERE).text)[-1]
