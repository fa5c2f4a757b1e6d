"""Overview: alerts, setup steps and charts."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from glific_gpt.accounts.tables import Membership
from glific_gpt.clock import now
from glific_gpt.console.presenters.alerts import ALERT_TEXTS
from glific_gpt.database import transaction
from glific_gpt.usage import reports
from glific_gpt.usage.alerts import AlertCode
from tests.console.conftest import OpenWindow, Staff
from tests.console.users import ConsoleUser
from tests.support.call_records import create_call, create_delivery
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, TestOrganization

HERE = "/console/organizations/alice/"
DATA = re.compile(r'<script type="application/json" id="chart-(\w+)">(.*?)</script>', re.DOTALL)
CARD = re.compile(r'<h3 class="subheader">(.*?)</h3>\s*<div class="h1 mb-1 number">(.*?)</div>\s*<div>(.*?)</div>')


def needs(person: ConsoleUser, path: str = HERE) -> list[str]:
    """Return the alerts of the page."""
    return re.findall(r'data-alert="(\w+)"', person.get(path).text)


def charts(person: ConsoleUser, path: str = HERE) -> dict[str, Any]:
    return {name: json.loads(data) for name, data in DATA.findall(person.get(path).text)}


def cards(person: ConsoleUser, path: str = HERE) -> dict[str, tuple[str, str]]:
    """Return the metric cards: value and notes."""
    return {name: (value, note) for name, value, note in CARD.findall(person.get(path).text)}


@pytest.mark.parametrize("code", AlertCode)
def test_it_has_words_for_everything_that_may_be_needed(code: AlertCode) -> None:
    assert ALERT_TEXTS[code].title
    assert ALERT_TEXTS[code].button


def test_days_of_the_charts_are_in_the_time_zone_of_the_organization(
    alice: TestOrganization, viewer: ConsoleUser
) -> None:
    midnight_in_samoa = now().astimezone(ZoneInfo("Pacific/Apia")).replace(hour=0, minute=0, second=0)
    create_call(alice, at=midnight_in_samoa)
    create_call(alice, at=midnight_in_samoa - timedelta(seconds=1))
    alice.change(time_zone="Pacific/Apia")
    series = charts(viewer)["calls"]["series"][0]["values"]
    assert series[-2:] == [1, 1]
    assert "Days and times are in the time zone Pacific/Apia." in viewer.get(HERE).text


def test_an_editor_is_offered_a_time_zone_instead_of_utc(
    alice: TestOrganization, viewer: ConsoleUser, editor: ConsoleUser
) -> None:
    create_call(alice)
    link = 'href="/console/organizations/alice/settings#time_zone"'
    assert [link in person.get(HERE).text for person in (viewer, editor)] == [False, True]
    alice.change(time_zone="Asia/Kolkata")
    assert link not in editor.get(HERE).text


def test_a_key_without_credit_gives_an_alert_with_a_link_to_billing(
    alice: TestOrganization, viewer: ConsoleUser, openai: OpenAIStandIn
) -> None:
    openai.always(out_of_credit())
    alice.ask()
    text = viewer.get(HERE).text
    assert "This key has no credit left at OpenAI" in text
    assert "https://platform.openai.com/settings/organization/billing" in text
    assert 'href="/console/organizations/alice/openai"' in text


def test_there_are_no_alerts_if_everything_works(alice: TestOrganization, viewer: ConsoleUser) -> None:
    alice.ask()
    assert needs(viewer) == []


def test_a_used_budget_gives_an_alert_with_both_amounts(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, cost_usd=Decimal("9.50"))
    alice.change(monthly_budget_usd=Decimal(10))
    assert "$9.50 of $10.00 are spent" in viewer.get(HERE).text


def test_a_budget_that_refuses_calls_is_an_urgent_alert(alice: TestOrganization, viewer: ConsoleUser) -> None:
    alice.change(monthly_budget_usd=Decimal(10))
    create_call(alice, "error", error_code="budget_exceeded")
    page = viewer.get(HERE).text
    assert '<section class="alert alert-danger attention" data-alert="budget_used"' in page
    assert "Budget reached: calls are refused" in page
    alice.change(monthly_budget_usd=Decimal(0))
    assert "The budget is 0, so every call is refused." in viewer.get(HERE).text


def test_an_alert_about_failures_links_to_those_calls(alice: TestOrganization, viewer: ConsoleUser) -> None:
    for _ in range(6):
        create_call(alice, "error", error_code="empty_question")
    text = viewer.get(HERE).text
    assert "6 of 6 calls failed in the last 24 hours. The most frequent reason: Empty question." in text
    assert 'href="/console/organizations/alice/calls?error=empty_question"' in text


def test_undelivered_answers_give_an_alert(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_delivery(alice, "undelivered", status="error", error_code="undelivered")
    assert needs(viewer) == ["not_delivered"]


def test_the_setup_steps_disappear_when_all_are_done(server: RunningServer, staff: Staff) -> None:
    fresh = server.add_organization("fresh", key="")
    person = staff(None)
    here = "/console/organizations/fresh/"
    assert "0 of 4 steps done" in person.get(here).text
    assert needs(person, here) == []  # the first step says it without an alarm
    fresh.set_key("sk-proj-fresh-0123456789-resh")
    assert "1 of 4 steps done" in person.get(here).text
    create_call(fresh, is_test=True)
    assert "2 of 4 steps done" in person.get(here).text
    fresh.change(allowed_models=[])
    assert "2 of 5 steps done" in person.get(here).text  # a step that is done for most organizations
    fresh.change(allowed_models=None)
    create_call(fresh, is_test=False)
    assert "steps done" not in person.get(here).text


def test_a_missing_key_gives_an_alert_after_the_first_answered_call(server: RunningServer, staff: Staff) -> None:
    create_call(server.add_organization("careless", key=""))
    assert needs(staff(None), "/console/organizations/careless/") == ["key_missing"]


def test_without_calls_the_next_step_is_shown(viewer: ConsoleUser) -> None:
    text = viewer.get(HERE).text
    assert "No calls yet" in text
    assert 'href="/console/organizations/alice/try-it"' in text
    assert "<canvas" not in text


def test_the_menu_of_the_organization_stays_on_the_page_of_the_account(
    alice: TestOrganization, viewer: ConsoleUser, server: RunningServer
) -> None:
    menu = f'href="{HERE}calls"'
    assert menu not in viewer.get("/console/account/").text
    viewer.get(HERE)
    assert menu in viewer.get("/console/account/").text
    with server.app.app_context(), transaction() as session:
        session.execute(sa.delete(Membership))
    assert menu not in viewer.get("/console/account/").text


def test_a_period_without_calls_offers_a_longer_one(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, at=now() - timedelta(days=40))
    text = viewer.get(HERE).text
    assert "No calls in the last 30 days" in text
    assert f'href="{HERE}?days=90"' in text


def test_totals_are_compared_with_the_period_before(alice: TestOrganization, viewer: ConsoleUser) -> None:
    for _ in range(2):
        create_call(alice, at=now() - timedelta(days=10), duration_ms=2000, cost_usd=Decimal("0.5"))
    for _ in range(3):
        create_call(alice, duration_ms=1500, cost_usd=Decimal("0.5"))
    create_call(alice, "error", error_code="rate_limited")
    text = viewer.get(f"{HERE}?days=7").text
    assert cards(viewer, f"{HERE}?days=7") == {
        "Calls": ("4", "3 without a failure"),
        "Failures": ("1", "25% of all calls"),
        "Typical answer time": ("1.5 s", "none took 5 s or more"),
        "Cost": ("$1.50", "360 tokens"),
    }
    for said in ("100% more than in the 7 days before", "0% in the 7", "2.0 s in the 7", "50% more than in the 7"):
        assert said in text


def test_people_without_an_answer_in_time_are_in_the_sentence_and_in_the_chart(
    alice: TestOrganization, viewer: ConsoleUser
) -> None:
    create_call(alice, "error", error_code="deadline_exceeded", duration_ms=4500)
    assert cards(viewer)["Typical answer time"] == ("–", "1 person got no answer in time")
    create_call(alice, duration_ms=1500)
    create_call(alice, duration_ms=5100)
    assert cards(viewer)["Typical answer time"] == ("1.5 s", "2 people got no answer in time")
    series = {each["name"]: each["values"] for each in charts(viewer)["times"]["series"]}
    assert series["No answer (time-out)"] == series["Too late for Glific"] == [0] * 6 + [1]


def test_totals_say_if_there_were_no_calls_before(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    assert viewer.get(f"{HERE}?days=7").text.count("nothing in the 7 days before") == 4


@pytest.mark.parametrize(("asked", "days"), [("7", 7), ("30", 30), ("90", 90), ("", 30), ("8", 30), ("-1", 30)])
def test_the_address_selects_the_period(alice: TestOrganization, viewer: ConsoleUser, asked: str, days: int) -> None:
    create_call(alice)
    drawn = charts(viewer, f"{HERE}?days={asked}")
    assert {name: len(drawn[name]["labels"]) for name in ("calls", "tokens", "cost")} == dict.fromkeys(
        ("calls", "tokens", "cost"), days
    )


def test_charts_and_tables_have_the_same_numbers(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, duration_ms=700)
    create_call(alice, duration_ms=6000)
    create_call(alice, "error", error_code="rate_limited")
    drawn = charts(viewer, f"{HERE}?days=7")
    assert [series["values"][-1] for series in drawn["calls"]["series"]] == [2, 1]
    assert [series["values"] for series in drawn["times"]["series"]] == [[0, 1, 0, 0, 0, 0, 0], [0] * 6 + [1], [0] * 7]
    assert drawn["times"]["line"] == {"before": 6, "name": "Glific waits 5 s"}
    assert [series["values"][-1] for series in drawn["tokens"]["series"]] == [200, 40]
    assert drawn["cost"]["series"][0]["values"][-1] == 0.002
    row = '<th scope="row">5 s or more</th><td class="text-end">0</td><td class="text-end">1</td>'
    assert row in viewer.get(f"{HERE}?days=7").text


def test_deferred_answers_are_never_late(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_delivery(alice, "delivered", duration_ms=20_000)
    assert sum(charts(viewer)["times"]["series"][1]["values"]) == 0
    assert "Answers for flows that waited (not in this chart): 1." in viewer.get(HERE).text


def test_models_and_errors_link_to_their_calls(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    create_call(alice, "error", error_code="insufficient_quota", model_asked=None)
    create_call(alice, "interrupted")
    text = viewer.get(HERE).text
    first_day = f"first_day={now() - timedelta(days=29):%Y-%m-%d}"
    for link in ("model=gpt-4o", "error=insufficient_quota", "status=interrupted"):
        assert f'href="/console/organizations/alice/calls?{first_day}&amp;{link}"' in text
    assert "no model (failed earlier)" in text


def test_it_shows_no_calls_of_another_organization(
    alice: TestOrganization, bob: TestOrganization, viewer: ConsoleUser
) -> None:
    create_call(alice)
    create_call(bob, model_asked="gpt-of-bob", error_code="budget_exceeded", status="error")
    text = viewer.get(HERE).text
    assert "gpt-of-bob" not in text
    assert cards(viewer)["Calls"][0] == "1"
    assert viewer.get("/console/organizations/bob/").status_code == 404


IS_DRAWN = "(index) => Chart.getChart(document.querySelectorAll('canvas[data-chart]')[index]) !== undefined"


def test_a_chart_is_drawn_when_it_is_near_the_window_or_printed(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow
) -> None:
    create_call(alice)
    shown = open_window(viewer, width=390)
    shown.open(HERE)
    shown.wait_until_drawn()
    assert not shown.page.evaluate(IS_DRAWN, 3)
    shown.page.locator("canvas[data-chart]").nth(2).scroll_into_view_if_needed()
    shown.page.wait_for_function(IS_DRAWN, arg=2)
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown.page.evaluate(IS_DRAWN, 3)


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_are_drawn_again_when_the_theme_changes(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow, width: int
) -> None:
    alice.change(name="L" * 200)
    create_call(
        alice, model_asked="ft:gpt-4o-mini-2024-07-18:seva::AbCd", input_tokens=30_000_000, cost_usd=Decimal(1234)
    )
    shown = open_window(viewer, width=width)
    shown.open(HERE)
    shown.page.locator("canvas[data-chart]").first.scroll_into_view_if_needed()
    shown.page.wait_for_function(IS_DRAWN, arg=0)
    picture = "document.querySelector('canvas[data-chart]').toDataURL()"
    before = shown.page.evaluate(picture)
    shown.page.evaluate("document.querySelector('[data-theme-toggle]').click()")
    assert shown.page.evaluate(picture) != before
    assert (shown.violations, shown.foreign, shown.overflow()) == ([], set(), 0)
    table = shown.page.locator(".by-model")
    if width == 1280:  # the cost is visible without scrolling
        assert table.evaluate("table => table.parentElement.scrollWidth - table.parentElement.clientWidth") == 0


def test_the_numbers_of_a_chart_can_be_opened_by_keyboard(
    alice: TestOrganization, viewer: ConsoleUser, open_window: OpenWindow
) -> None:
    create_call(alice)
    shown = open_window(viewer)
    shown.open(HERE)
    shown.page.locator("summary", has_text="Show numbers").first.focus()
    shown.page.keyboard.press("Enter")
    assert shown.page.locator("details[open] tbody tr").count() == 30
    assert shown.accessibility_violations() == []


def test_models_that_are_used_less_are_one_row(
    alice: TestOrganization, viewer: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_MODELS", 1)
    for model in ("gpt-a", "gpt-b", "gpt-b", "gpt-c"):
        create_call(alice, model_asked=model)
    table = re.findall(r'<table class="[^"]*by-model">(.*?)</table>', viewer.get(HERE).text, re.DOTALL)[0]
    rows = re.findall(r'<th scope="row">(?:<a[^>]*>)?(.*?)<.*?<td class="text-end">(.*?)</td>', table, re.DOTALL)
    assert rows == [("gpt-b", "2"), ("Other models", "2")]
    assert "model=gpt-b" in table
