"""Call list, page of one call with advice, and retries."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from glific_gpt.accounts.tables import Role
from glific_gpt.calls import queries
from glific_gpt.calls.tables import FAILED_DELIVERY_STATES, STATUSES, Call, Delivery
from glific_gpt.calls.timeline import CallTimeline, TimelineEvent, events
from glific_gpt.clock import now
from glific_gpt.console.presenters import advice, labels, timeline
from glific_gpt.errors import CallerError, InternalError, OrganizationError, ServiceError
from tests.calls.test_retry import create_undelivered_call
from tests.console.conftest import Staff
from tests.console.test_calls_csv import sheet
from tests.console.users import ConsoleUser, remove_csrf_tokens
from tests.support.call_records import create_call, create_delivery
from tests.support.deferred import start_worker_in_process
from tests.support.glific_stand_in import GlificStandIn
from tests.support.server import RunningServer, TestOrganization

HERE = "/console/organizations/alice/calls"
ROW = re.compile(r'<tr data-call="(call_\w+)"')
CODES = sorted(
    {error.code for base in (CallerError, OrganizationError, ServiceError) for error in base.__subclasses__()}
    | {InternalError.code, *FAILED_DELIVERY_STATES, "interrupted"}
)
FRAGMENT = {"HX-Request": "true"}


def listed(person: ConsoleUser, query: str = "") -> list[str]:
    """Return the ids of the calls in the list."""
    answer = person.get(HERE + query)
    assert answer.status_code == 200, answer.text[:2000]
    return ROW.findall(answer.text)


@pytest.fixture
def words() -> Flask:
    """A minimal app for translated texts."""
    app = Flask("words")
    Babel(app)
    return app


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_a_name_a_responsible_person_and_advice(words: Flask, code: str) -> None:
    with words.app_context(), force_locale("en"):
        assert code in advice.ADVICE
        assert str(advice.advice_for(code)).endswith(".")
        assert labels.ERROR_NAMES[code]
        assert labels.responsible_party(code)


def test_every_advice_belongs_to_an_error_code() -> None:
    assert set(advice.ADVICE) == set(labels.ERROR_NAMES) == set(CODES)
    assert set(advice.FIX_PAGES) <= set(CODES)
    assert set(advice.FIX_PAGES.values()) <= set(advice.PAGE_NAMES)


def test_every_status_has_a_name_and_a_colour() -> None:
    assert set(labels.STATUS_NAMES) == set(labels.STATUS_COLOURS) == set(STATUSES)


def test_the_newest_call_comes_first(alice: TestOrganization, viewer: ConsoleUser) -> None:
    first, second = create_call(alice), create_call(alice)
    assert listed(viewer) == [second, first]


def test_a_row_shows_the_result_in_words(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, "error", error_code="rate_limited", duration_ms=1234)
    text = viewer.get(HERE, headers=FRAGMENT).text
    for said in ("Failed", "Rate limit reached", "1.2 s", "gpt-4o", "UTC</time>"):
        assert said in text


def test_a_call_of_more_than_five_seconds_is_marked(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, duration_ms=5200)
    assert "too late for Glific" in viewer.get(HERE, headers=FRAGMENT).text


def test_a_deferred_call_is_never_too_late(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_delivery(alice, "delivered", duration_ms=20_000)
    text = viewer.get(HERE, headers=FRAGMENT).text
    assert "too late for Glific" not in text
    assert "the flow waited" in text


def test_a_call_says_why_the_fallback_model_answered(alice: TestOrganization, viewer: ConsoleUser) -> None:
    call_id = create_call(alice, model_used="gpt-4.1-mini", fallback_reason="rate_limited", cause="HTTP 429")
    text = viewer.get(f"{HERE}/{call_id}").text
    assert "Answered, because the requested model did not: Rate limit reached" in text
    assert "(HTTP 429)" in text
    assert '<td class="model">gpt-4.1-mini</td>' in viewer.get(HERE).text


@pytest.mark.both_databases
def test_the_filters_select_calls(alice: TestOrganization, viewer: ConsoleUser) -> None:
    old = create_call(alice, at=now() - timedelta(days=3))
    failed = create_call(alice, "error", error_code="refused", model_asked="gpt-5-mini")
    day = f"{now() - timedelta(days=3):%Y-%m-%d}"
    assert listed(viewer, "?status=error") == listed(viewer, "?error=refused") == [failed]
    assert listed(viewer, "?model=gpt-5-mini") == [failed]
    assert listed(viewer, f"?first_day={day}&last_day={day}") == [old]
    assert listed(viewer, "?status=&model=&error=&first_day=&last_day=") == [failed, old]


@pytest.mark.both_databases
def test_the_filters_offer_models_and_errors_of_recent_calls(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, "error", error_code="refused", model_asked="gpt-5-mini")
    text = viewer.get(HERE).text
    assert '<option value="gpt-5-mini">' in text
    assert '<option value="refused">Model refused</option>' in text


def test_an_invalid_day_stays_in_the_form_with_an_error(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    answer = viewer.get(f"{HERE}?first_day=yesterday")
    assert answer.status_code == 422
    assert 'value="yesterday"' in answer.text
    assert 'id="first_day-error"' in answer.text
    assert viewer.get(f"{HERE}.csv?first_day=yesterday").status_code == 422


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["model", "error"])
def test_a_filter_with_nul_is_refused(alice: TestOrganization, viewer: ConsoleUser, name: str) -> None:
    create_call(alice)
    answer = viewer.get(f"{HERE}?{name}=gpt%00")
    assert answer.status_code == 422
    assert f'id="{name}-error"' in answer.text
    assert "\0" not in answer.text
    assert viewer.get(f"{HERE}.csv?{name}=gpt%00").status_code == 422


@pytest.mark.both_databases
@pytest.mark.parametrize("before", ["%00", "call_%00", "call_0", "nonsense"])
def test_paging_from_an_unknown_call_is_not_found(viewer: ConsoleUser, before: str) -> None:
    assert viewer.get(f"{HERE}?before={before}").status_code == 404


def test_filters_without_matches_are_explained(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    assert "No call matches these filters" in viewer.get(f"{HERE}?status=error").text


def test_the_page_says_for_how_long_calls_are_kept(viewer: ConsoleUser) -> None:
    assert "Calls are kept for 400 days." in viewer.get(HERE).text


def test_an_empty_list_shows_the_next_step(viewer: ConsoleUser) -> None:
    text = viewer.get(HERE).text
    assert "No calls yet" in text
    assert 'href="/console/organizations/alice/use-in-glific"' in text


@pytest.mark.both_databases
def test_older_calls_are_on_other_pages_with_the_same_filters(alice: TestOrganization, viewer: ConsoleUser) -> None:
    made = [create_call(alice) for _ in range(52)][::-1]
    text = viewer.get(f"{HERE}?model=gpt-4o").text
    assert ROW.findall(text) == made[:50]
    older = re.search(r'rel="next" href="([^"]+)"', text)
    assert older
    query = older[1].partition("?")[2].replace("&amp;", "&")
    assert "model=gpt-4o" in query
    assert listed(viewer, f"?{query}") == made[50:]


def test_only_the_newest_page_updates_itself(alice: TestOrganization, viewer: ConsoleUser) -> None:
    ids = [create_call(alice) for _ in range(2)]
    first = viewer.get(f"{HERE}?status=ok").text
    assert 'hx-get="/console/organizations/alice/calls?status=ok" hx-trigger="every 5s"' in first
    assert "hx-get" not in viewer.get(f"{HERE}?before={ids[1]}").text


def test_an_update_contains_only_the_list(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice)
    text = viewer.get(HERE, headers=FRAGMENT).text
    assert text.count("<tr data-call") == 1
    assert "<html" not in text


def test_an_update_without_a_session_redirects_the_page_to_sign_in(
    nobody: ConsoleUser, alice: TestOrganization
) -> None:
    assert "sign-in" in nobody.get(HERE, headers=FRAGMENT).headers["HX-Redirect"]


def test_a_call_shows_its_timeline_and_advice(alice: TestOrganization, viewer: ConsoleUser) -> None:
    call_id = create_call(alice, "error", error_code="insufficient_quota", contact_id=21)
    text = viewer.get(f"{HERE}/{call_id}").text
    for said in (
        "The call arrived",
        "The call failed",
        "No credit at OpenAI",
        "Look at platform.openai.com under Billing and under Limits",
        call_id,
    ):
        assert said in text
    assert "An editor or owner of the organization, here or at OpenAI" in text


def test_a_call_shows_that_its_answer_was_cut_off(alice: TestOrganization, viewer: ConsoleUser) -> None:
    said = "Cut off: the model reached its token limit"
    assert said in viewer.get(f"{HERE}/{create_call(alice, cut_off=True)}").text
    assert said not in viewer.get(f"{HERE}/{create_call(alice)}").text


def test_a_call_names_the_field_and_the_variable_at_fault_but_not_the_value(
    alice: TestOrganization, viewer: ConsoleUser
) -> None:
    body: dict[str, Any] = {
        "contact": {"id": "21", "name": "Asha"},
        "flow_id": "5",
        "prompt": "Be kind to @results.question_1",
    }
    call_id = alice.ask(**body).json()["call_id"]
    page = viewer.get(f"{HERE}/{call_id}").text
    assert '<code class="text-break">@results.question_1</code>' in page
    assert "<code>prompt</code>" in page
    assert "Be kind" not in page
    assert 'calls?flow=5">5</a>' in page
    assert "@results.question_1</code>" in viewer.get(HERE).text
    call_id = alice.ask(temperature="warm").json()["call_id"]
    assert "<code>temperature</code>" in viewer.get(f"{HERE}/{call_id}").text
    assert [call["error_detail"] for call in alice.calls()] == ["temperature", "prompt: @results.question_1"]


def test_a_variable_that_may_be_a_phone_number_is_not_recorded(alice: TestOrganization) -> None:
    alice.ask(prompt="Write to @contact.919876543210")
    assert [call["error_detail"] for call in alice.calls()] == [None]


def test_the_list_can_show_the_calls_of_one_flow(alice: TestOrganization, viewer: ConsoleUser) -> None:
    of_flow, _other = create_call(alice, flow_id=5), create_call(alice, flow_id=6)
    assert listed(viewer, "?flow=5") == [of_flow]
    page = viewer.get(f"{HERE}?flow=5").text
    assert '<option selected value="5">5</option>' in page
    assert '<option value="6">6</option>' in page
    for wrong in ("x", "-1", "9" * 19, "%00"):
        assert viewer.get(f"{HERE}?flow={wrong}").status_code == 422


def test_calls_are_searched_by_call_id_contact_and_flow(alice: TestOrganization, viewer: ConsoleUser) -> None:
    first, second, third = create_call(alice, contact_id=21), create_call(alice, flow_id=21), create_call(alice)
    assert listed(viewer, "?search=21") == [second, first]
    assert listed(viewer, f"?search=%20{third.upper()}%20") == [third]
    page = viewer.get(f"{HERE}/{first}").text
    assert 'calls?search=21">21</a>' in page
    for wrong in ("Asha", "call_xyz", "%00", "9" * 20, "-1"):
        answer = viewer.get(f"{HERE}?search={wrong}")
        assert (answer.status_code, 'id="search-error"' in answer.text) == (422, True)


def test_the_number_of_matching_calls_is_shown(
    alice: TestOrganization, viewer: ConsoleUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flow in (5, 6, 6):
        create_call(alice, flow_id=flow)
    assert "3 calls." in viewer.get(HERE).text
    assert "1 call matches." in viewer.get(f"{HERE}?flow=5").text
    assert "2 calls match." in viewer.get(f"{HERE}?flow=6").text
    monkeypatch.setattr(queries, "MAX_COUNTED", 1)
    assert "More than 1 calls match." in viewer.get(f"{HERE}?flow=6").text
    assert "At most the newest 20,000 are sorted." in viewer.get(f"{HERE}?sort=duration").text


def test_a_short_duration_is_not_shown_as_zero(alice: TestOrganization, viewer: ConsoleUser) -> None:
    for milliseconds in (0, 50, 51):
        create_call(alice, duration_ms=milliseconds)
    text = viewer.get(HERE).text
    assert (text.count("&lt; 0.1 s"), text.count("0.1 s"), text.count("0.0 s")) == (2, 3, 0)


def test_a_call_without_a_model_has_no_line_for_it_on_a_phone(alice: TestOrganization, viewer: ConsoleUser) -> None:
    create_call(alice, "error", error_code="invalid_json", model_asked=None)
    assert '<td class="model"><span class="absent' in viewer.get(HERE).text


def test_calls_are_sorted_by_duration_and_cost(alice: TestOrganization, viewer: ConsoleUser) -> None:
    slow, fast = create_call(alice, duration_ms=4000), create_call(alice, duration_ms=10, cost_usd=Decimal(1))
    assert listed(viewer) == listed(viewer, "?sort=nonsense") == [fast, slow]
    assert listed(viewer, "?sort=duration") == [slow, fast]
    assert listed(viewer, "?sort=cost") == [fast, slow]
    text = viewer.get(f"{HERE}?sort=duration&flow=&status=ok").text
    assert 'aria-sort="descending">Duration' in text
    assert 'href="/console/organizations/alice/calls?status=ok&amp;sort=cost"' in text
    assert 'href="/console/organizations/alice/calls?status=ok"' in text
    assert "hx-get" not in text


def test_every_link_keeps_the_filters(alice: TestOrganization, editor: ConsoleUser) -> None:
    made = [create_call(alice, flow_id=5, duration_ms=number) for number in range(52)]
    query = "search=5&amp;status=ok&amp;sort=duration"
    text = editor.get(f"{HERE}?search=5&status=ok&sort=duration").text
    assert f'href="{HERE}.csv?{query}"' in text
    assert f'href="{HERE}?before={made[2]}&amp;{query}"' in text
    assert f'href="{HERE}/{made[-1]}?{query}"' in text
    assert '<input type="hidden" name="sort" value="duration">' in text
    call = editor.get(f"{HERE}/{made[1]}?before={made[2]}&search=5&status=ok&sort=duration").text
    assert f'<a class="btn" href="{HERE}?{query}&amp;before={made[2]}#{made[1]}">' in call
    retried = editor.post(f"{HERE}/{made[1]}/retry?search=5&before={made[2]}")
    assert retried.headers["Location"] == f"{HERE}/{made[1]}?search=5&before={made[2]}"


def test_days_and_times_are_in_the_time_zone_of_the_organization(alice: TestOrganization, viewer: ConsoleUser) -> None:
    alice.change(time_zone="Asia/Kolkata")
    call = create_call(alice, at=datetime(2026, 10, 31, 19, tzinfo=UTC))  # 1 November in India
    assert listed(viewer, "?first_day=2026-11-01&last_day=2026-11-01") == [call]
    assert listed(viewer, "?last_day=2026-10-31") == []
    page = viewer.get(HERE).text
    assert "Days and times are in the time zone Asia/Kolkata." in page
    assert ">1 Nov 2026, 12:30\u202fam</time>" in page
    assert ">1 Nov 2026, 12:30\u202fam</time>" in viewer.get(f"{HERE}/{call}").text


def test_test_questions_can_be_left_out(alice: TestOrganization, viewer: ConsoleUser) -> None:
    test, flow = create_call(alice, is_test=True), create_call(alice, is_test=None)
    assert listed(viewer, "?tests=only") == [test]
    assert listed(viewer, "?tests=without") == [flow]
    text = viewer.get(HERE).text
    assert text.count('<span class="status-dot"></span> Test</span>') == 1


def test_a_test_question_is_marked(alice: TestOrganization, viewer: ConsoleUser) -> None:
    assert "Test question" in viewer.get(f"{HERE}/{create_call(alice, is_test=True)}").text
    assert "Test question" not in viewer.get(f"{HERE}/{create_call(alice, is_test=False)}").text


def test_an_unknown_error_is_shown_by_its_code(alice: TestOrganization, viewer: ConsoleUser) -> None:
    text = viewer.get(f"{HERE}/{create_call(alice, 'error', error_code='no_such_crop')}").text
    assert "no_such_crop" in text
    assert "The answer to this call has the details" in text


def test_an_interrupted_call_has_advice_too(alice: TestOrganization, viewer: ConsoleUser) -> None:
    assert "The server was stopped" in viewer.get(f"{HERE}/{create_call(alice, 'interrupted')}").text


def test_every_timeline_event_has_a_title() -> None:
    start = now()
    told = {"accepted_at": start, "asked_at": start, "answered_at": start, "ended_at": start, "attempts": 1}
    retried = start + timedelta(minutes=5)
    fine = Call(status="ok", started_at=start, function="f")
    failed = Call(status="error", error_code="refused", started_at=start, function="f")
    stories = [
        CallTimeline(fine, Delivery(state="delivered", **told)),
        CallTimeline(failed, Delivery(state="undelivered", delivering_since=retried, **told)),
        CallTimeline(Call(status="interrupted", started_at=start, give_up_at=start, function="f"), None),
    ]
    kinds = {timeline.kind(happening) for story in stories for happening in events(story)}
    assert kinds == set(timeline.TITLES)


def test_the_kind_of_a_timeline_event_is_its_first_words() -> None:
    assert timeline.kind(TimelineEvent(now(), "given up, after 2 tries: no")) == "given up"
    assert timeline.kind(TimelineEvent(now(), "arrived: parse_via_chat_gpt")) == "arrived"


def test_the_call_of_another_organization_is_not_found(bob: TestOrganization, editor: ConsoleUser) -> None:
    theirs, none = create_delivery(bob, "undelivered"), f"call_{'0' * 24}"
    foreign, missing = editor.get(f"{HERE}/{theirs}"), editor.get(f"{HERE}/{none}")
    assert foreign.status_code == missing.status_code == 404
    assert remove_csrf_tokens(foreign.text).replace(theirs, none) == remove_csrf_tokens(missing.text)
    assert editor.get(f"{HERE}?before={theirs}").status_code == 404
    assert editor.post(f"{HERE}/{theirs}/retry").status_code == 404
    assert (listed(editor), sheet(editor)) == ([], [])


@pytest.mark.both_databases
def test_an_editor_can_retry_a_delivery(
    server: RunningServer, alice: TestOrganization, staff: Staff, glific: GlificStandIn
) -> None:
    start_worker_in_process(server)
    alice.connect(glific)
    call_id = create_undelivered_call(alice, glific)
    editor = staff(Role.EDITOR)
    assert f'action="{HERE}/{call_id}/retry"' in editor.get(f"{HERE}/{call_id}").text
    answer = editor.post(f"{HERE}/{call_id}/retry")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{HERE}/{call_id}")
    assert alice.wait_for_delivery(call_id).state == "delivered"
    text = editor.get(f"{HERE}/{call_id}").text
    assert "The flow got its answer" in text
    assert f'action="{HERE}/{call_id}/retry"' not in text


def test_a_viewer_cannot_retry_a_delivery(alice: TestOrganization, viewer: ConsoleUser) -> None:
    call_id = create_delivery(alice, "undelivered", status="error", error_code="undelivered")
    text = viewer.get(f"{HERE}/{call_id}").text
    assert "/retry" not in text
    assert "ask an editor or an owner" in text
    assert viewer.post(f"{HERE}/{call_id}/retry").status_code == 403


def test_a_delivery_whose_content_is_deleted_offers_no_retry(alice: TestOrganization, editor: ConsoleUser) -> None:
    error: dict[str, Any] = {"status": "error", "error_code": "undelivered"}
    stored, deleted = (create_delivery(alice, "undelivered", question=text, **error) for text in ("ciphertext", None))
    assert f"{stored}/retry" in editor.get(f"{HERE}/{stored}").text
    assert "/retry" not in editor.get(f"{HERE}/{deleted}").text


def test_an_impossible_retry_is_explained(alice: TestOrganization, editor: ConsoleUser) -> None:
    call_id = create_call(alice)
    answer = editor.post(f"{HERE}/{call_id}/retry")
    assert answer.status_code == 302
    assert "nothing to deliver" in editor.get(f"{HERE}/{call_id}").text
