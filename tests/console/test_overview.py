"""The first page of an organization: what it needs, what is left to set up, and how its calls went."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from glific_gpt.clock import now
from glific_gpt.console.presenters.alerts import WORDS
from glific_gpt.usage.alerts import NeedCode
from tests.console.conftest import OpenWindow, Staff
from tests.console.people import Person
from tests.support.house import House, Ngo
from tests.support.openai_behaviours import out_of_credit
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.recorded import record, record_delivery

HERE = "/console/organizations/alice/"
DATA = re.compile(r'<script type="application/json" id="chart-(\w+)">(.*?)</script>', re.DOTALL)
CARD = re.compile(r'<h3 class="subheader">(.*?)</h3>\s*<div class="h1 mb-1 number">(.*?)</div>\s*<div>(.*?)</div>')


def needs(person: Person, path: str = HERE) -> list[str]:
    """The banners that are shown."""
    return re.findall(r'data-need="(\w+)"', person.get(path).text)


def charts(person: Person, path: str = HERE) -> dict[str, Any]:
    return {name: json.loads(data) for name, data in DATA.findall(person.get(path).text)}


def cards(person: Person, path: str = HERE) -> dict[str, tuple[str, str]]:
    """Each number, and what is said of it."""
    return {name: (value, note) for name, value, note in CARD.findall(person.get(path).text)}


@pytest.mark.parametrize("code", NeedCode)
def test_it_has_words_for_everything_that_may_be_needed(code: NeedCode) -> None:
    assert WORDS[code].title
    assert WORDS[code].button


def test_it_says_that_the_key_has_no_credit_left_and_leads_to_where_that_is_mended(
    alice: Ngo, viewer: Person, openai: OpenAIStandIn
) -> None:
    openai.always(out_of_credit())
    alice.ask()
    text = viewer.get(HERE).text
    assert "OpenAI says this key has no credit left" in text
    assert "https://platform.openai.com/settings/organization/billing" in text
    assert 'href="/console/organizations/alice/openai"' in text


def test_it_needs_nothing_when_all_is_well(alice: Ngo, viewer: Person) -> None:
    alice.ask()
    assert needs(viewer) == []


def test_it_says_what_a_budget_was_and_what_is_spent_of_it(alice: Ngo, viewer: Person) -> None:
    record(alice, cost_usd=Decimal("9.50"))
    alice.change(monthly_budget_usd=Decimal(10))
    assert "$9.50 of $10.00 are spent" in viewer.get(HERE).text


def test_it_leads_from_many_failures_to_those_calls(alice: Ngo, viewer: Person) -> None:
    for _ in range(6):
        record(alice, "error", error_code="empty_question")
    text = viewer.get(HERE).text
    assert "6 of 6 calls failed in the last 24 hours. The most frequent reason: Empty question." in text
    assert 'href="/console/organizations/alice/calls?error=empty_question"' in text


def test_it_tells_of_answers_that_did_not_reach_their_flows(alice: Ngo, viewer: Person) -> None:
    record_delivery(alice, "undelivered", status="error", error_code="undelivered")
    assert needs(viewer) == ["not_delivered"]


def test_it_counts_the_steps_that_are_done_until_none_is_left(house: House, staff: Staff) -> None:
    fresh = house.ngo("fresh", key="")
    person = staff(None)
    here = "/console/organizations/fresh/"
    assert "2 of 4 steps done" in person.get(here).text
    assert needs(person, here) == []  # the first step says it without an alarm
    fresh.set_key("sk-proj-fresh-0123456789-resh")
    assert "3 of 4 steps done" in person.get(here).text
    record(fresh)
    assert "steps done" not in person.get(here).text


def test_it_alarms_about_a_missing_key_where_calls_were_answered_before(house: House, staff: Staff) -> None:
    record(house.ngo("careless", key=""))
    assert needs(staff(None), "/console/organizations/careless/") == ["key_missing"]


def test_it_says_what_to_do_next_where_there_are_no_calls(viewer: Person) -> None:
    text = viewer.get(HERE).text
    assert "No calls yet" in text
    assert 'href="/console/organizations/alice/try-it"' in text
    assert "<canvas" not in text


def test_it_offers_a_longer_period_where_calls_are_longer_ago(alice: Ngo, viewer: Person) -> None:
    record(alice, at=now() - timedelta(days=40))
    text = viewer.get(HERE).text
    assert "No calls in the last 30 days" in text
    assert f'href="{HERE}?days=90"' in text


def test_it_adds_up_the_period_and_compares_it_with_the_one_before(alice: Ngo, viewer: Person) -> None:
    for _ in range(2):
        record(alice, at=now() - timedelta(days=10), duration_ms=2000, cost_usd=Decimal("0.5"))
    for _ in range(3):
        record(alice, duration_ms=1500, cost_usd=Decimal("0.5"))
    record(alice, "error", error_code="rate_limited")
    text = viewer.get(f"{HERE}?days=7").text
    assert cards(viewer, f"{HERE}?days=7") == {
        "Calls": ("4", "3 without a failure"),
        "Failures": ("1", "25% of all calls"),
        "Median answer time": ("1.5 s", "none took 5 s or more"),
        "Cost": ("$1.50", "360 tokens"),
    }
    for said in ("100% more than in the 7 days before", "0% in the 7", "2.0 s in the 7", "50% more than in the 7"):
        assert said in text


def test_it_says_when_there_was_nothing_before(alice: Ngo, viewer: Person) -> None:
    record(alice)
    assert viewer.get(f"{HERE}?days=7").text.count("nothing in the 7 days before") == 4


@pytest.mark.parametrize(("asked", "days"), [("7", 7), ("30", 30), ("90", 90), ("", 30), ("8", 30), ("-1", 30)])
def test_it_shows_as_many_days_as_the_address_asks_for(alice: Ngo, viewer: Person, asked: str, days: int) -> None:
    record(alice)
    drawn = charts(viewer, f"{HERE}?days={asked}")
    assert {name: len(drawn[name]["labels"]) for name in ("calls", "tokens", "cost")} == dict.fromkeys(
        ("calls", "tokens", "cost"), days
    )


def test_it_gives_the_charts_the_same_numbers_as_the_tables(alice: Ngo, viewer: Person) -> None:
    record(alice, duration_ms=700)
    record(alice, duration_ms=6000)
    record(alice, "error", error_code="rate_limited")
    drawn = charts(viewer, f"{HERE}?days=7")
    assert [series["values"][-1] for series in drawn["calls"]["series"]] == [2, 1]
    assert [series["values"] for series in drawn["times"]["series"]] == [[0, 1, 0, 0, 0, 0, 0], [0] * 6 + [1]]
    assert drawn["times"]["line"] == {"before": 6, "name": "Glific waits 5 s"}
    assert [series["values"][-1] for series in drawn["tokens"]["series"]] == [200, 40]
    assert drawn["cost"]["series"][0]["values"][-1] == 0.002
    row = '<th scope="row">5 s or more</th><td class="text-end">0</td><td class="text-end">1</td>'
    assert row in viewer.get(f"{HERE}?days=7").text


def test_it_does_not_call_late_what_a_flow_has_waited_for(alice: Ngo, viewer: Person) -> None:
    record_delivery(alice, "delivered", duration_ms=20_000)
    assert sum(charts(viewer)["times"]["series"][1]["values"]) == 0
    assert "1 answers came later" in viewer.get(HERE).text


def test_it_lists_models_and_errors_with_the_way_to_their_calls(alice: Ngo, viewer: Person) -> None:
    record(alice)
    record(alice, "error", error_code="insufficient_quota", model_asked=None)
    record(alice, "interrupted")
    text = viewer.get(HERE).text
    for link in ("model=gpt-4o", "error=insufficient_quota", "status=interrupted"):
        assert f'href="/console/organizations/alice/calls?{link}"' in text
    assert "no model (failed earlier)" in text


def test_it_shows_nothing_of_bobs(alice: Ngo, bob: Ngo, viewer: Person) -> None:
    record(alice)
    record(bob, model_asked="gpt-of-bob", error_code="budget_exceeded", status="error")
    text = viewer.get(HERE).text
    assert "gpt-of-bob" not in text
    assert cards(viewer)["Calls"][0] == "1"
    assert viewer.get("/console/organizations/bob/").status_code == 404


@pytest.mark.parametrize("width", [1280, 390])
def test_it_draws_its_charts_and_draws_them_anew_when_the_lights_go_out(
    alice: Ngo, viewer: Person, open_window: OpenWindow, width: int
) -> None:
    record(alice)
    shown = open_window(viewer, width=width)
    shown.open(HERE)
    shown.page.wait_for_function("document.querySelectorAll('canvas[data-chart]').length === 4")
    picture = "document.querySelector('canvas[data-chart]').toDataURL()"
    before = shown.page.evaluate(picture)
    shown.page.evaluate("document.querySelector('[data-theme-toggle]').click()")
    assert shown.page.evaluate(picture) != before
    assert (shown.violations, shown.foreign, shown.overflow()) == ([], set(), 0)


def test_it_shows_the_numbers_to_whoever_cannot_see_the_bars(
    alice: Ngo, viewer: Person, open_window: OpenWindow
) -> None:
    record(alice)
    shown = open_window(viewer)
    shown.open(HERE)
    shown.page.locator("summary", has_text="Show numbers").first.focus()
    shown.page.keyboard.press("Enter")
    assert shown.page.locator("details[open] tbody tr").count() == 30
    assert shown.unusable() == []
