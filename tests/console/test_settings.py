"""Settings page: changes take effect on the next call, and errors appear beside their field."""

import html
import re
from typing import Any

import pytest

from glific_gpt.settings import FALLBACK_MESSAGE
from tests.console.users import ConsoleUser
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/settings"
PHRASE = f"{PAGE}/phrase"
CLEAR = f"{PAGE}/phrase/clear"
SECRET = "seven swans on the river"
GOOD = {
    "name": "Alice",
    "fallback_message": "",
    "glific_organization_id": "",
    "contact_daily_limit": "",
    "calls_per_minute": "",
    "contact_calls_per_minute": "",
    "monthly_budget_usd": "",
    "memory_hours": "",
    "alert_email": "",
}


def value(page: str, name: str) -> str:
    """Return the value of a field."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found, page[:2000]
    return html.unescape(found[1])


def switch(page: str, name: str) -> str:
    """Return the tag of a switch."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert found, page[:2000]
    return found[0]


def body_of(contact: int = 21, **more: Any) -> dict[str, Any]:
    return {"contact": {"id": contact}, **more}


def test_the_fallback_message_is_used_by_the_next_failing_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert alice.ask("").json()["parsed_msg"] == FALLBACK_MESSAGE
    assert editor.post(PAGE, GOOD | {"fallback_message": "Our helpline\r\nopens at nine."}).status_code == 302
    assert alice.ask("").json()["parsed_msg"].splitlines() == ["Our helpline", "opens at nine."]
    assert "opens at nine.</textarea>" in editor.get(PAGE).text
    editor.post(PAGE, GOOD)
    assert alice.ask("").json()["parsed_msg"] == FALLBACK_MESSAGE


def opened(**values: str) -> dict[str, str]:
    """Return the hidden inputs of a form that was opened with the settings of GOOD, apart from these."""
    return {
        f"was-{name}": text for name, text in (GOOD | {"require_signature": "", "fetch_images": ""} | values).items()
    }


def test_only_what_was_changed_is_saved(editor: ConsoleUser, alice: TestOrganization) -> None:
    page = editor.get(PAGE).text
    assert '<input type="hidden" name="was-name" value="Alice">' in page
    alice.change(contact_daily_limit=7, require_signature=True)  # by a colleague, since the page was opened
    changed = GOOD | {"fallback_message": "Later."} | opened()
    assert editor.post(PAGE, changed).status_code == 302
    page = editor.get(PAGE).text
    assert value(page, "contact_daily_limit") == "7"
    assert "checked" in switch(page, "require_signature")
    assert "Later.</textarea>" in page


def test_a_conflict_is_shown_and_resolved_by_saving_again(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(contact_daily_limit=7, fetch_images=True)
    answer = editor.post(PAGE, GOOD | {"contact_daily_limit": "9", "name": "Alice 2"} | opened())
    assert answer.status_code == 422
    assert "A colleague has changed this to “7” since you opened the page." in answer.text
    assert value(answer.text, "contact_daily_limit") == "9"
    assert value(editor.get(PAGE).text, "name") == "Alice"
    again = GOOD | {"contact_daily_limit": "9", "name": "Alice 2"} | opened(contact_daily_limit="7")
    assert 'name="was-contact_daily_limit" value="7"' in answer.text
    assert editor.post(PAGE, again).status_code == 302
    page = editor.get(PAGE).text
    assert (value(page, "contact_daily_limit"), value(page, "name")) == ("9", "Alice 2")
    assert "checked" in switch(page, "fetch_images")


def test_the_same_change_by_two_people_is_no_conflict(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(name="Alice Trust")
    assert editor.post(PAGE, GOOD | {"name": "Alice Trust"} | opened()).status_code == 302


@pytest.mark.parametrize(
    ("field", "typed", "saved"),
    [
        ("monthly_budget_usd", "1,000", "1000"),
        ("monthly_budget_usd", "$1,00,000.50", "100000.5"),
        ("contact_daily_limit", "1,000", "1000"),
    ],
)
def test_separators_in_a_number_are_understood(editor: ConsoleUser, field: str, typed: str, saved: str) -> None:
    assert editor.post(PAGE, GOOD | {field: typed}).status_code == 302
    assert value(editor.get(PAGE).text, field) == saved


def test_the_contact_limit_takes_effect_on_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    editor.post(PAGE, GOOD | {"contact_daily_limit": " 1 "})
    assert alice.ask(**body_of()).status_code == 200
    assert alice.ask("And now?", **body_of()).json()["error_code"] == "contact_limit"
    assert value(editor.get(PAGE).text, "contact_daily_limit") == "1"


def test_the_budget_takes_effect_on_the_next_call_and_the_page_shows_its_use(
    editor: ConsoleUser, alice: TestOrganization
) -> None:
    assert "<progress" not in editor.get(PAGE).text
    editor.post(PAGE, GOOD | {"monthly_budget_usd": "12.50"})
    assert alice.ask().status_code == 200
    page = editor.get(PAGE).text
    assert "of $12.50" in page
    assert "<progress" in page
    assert value(page, "monthly_budget_usd") == "12.5"
    editor.post(PAGE, GOOD | {"monthly_budget_usd": "0"})
    assert "Saved. The budget is 0, so every call is refused." in editor.get(PAGE).text
    assert alice.ask("And now?").json()["error_code"] == "budget_exceeded"


def test_the_glific_id_takes_effect_on_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    editor.post(PAGE, GOOD | {"glific_organization_id": "17"})
    assert alice.ask(organization_id=18).status_code == 401
    assert alice.ask(organization_id=17).status_code == 200


def test_an_address_for_alerts_is_saved_and_not_written_to_the_audit_trail(editor: ConsoleUser) -> None:
    editor.post(PAGE, GOOD | {"alert_email": " alerts@example.org "})
    assert value(editor.get(PAGE).text, "alert_email") == "alerts@example.org"
    audit = editor.get("/console/organizations/alice/audit").text
    assert "e-mail address for alerts" in audit
    assert "alerts@example.org" not in audit


def test_the_time_zone_is_one_of_the_list(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert '<option selected value="">UTC</option>' in editor.get(PAGE).text
    assert editor.post(PAGE, GOOD | {"time_zone": "Asia/Kolkata"}).status_code == 302
    assert '<option selected value="Asia/Kolkata">India (Asia/Kolkata)</option>' in editor.get(PAGE).text
    refused = editor.post(PAGE, GOOD | {"time_zone": "Asia/Pune"})
    assert (refused.status_code, 'id="time_zone-error"' in refused.text) == (422, True)
    alice.change(time_zone="UTC")  # a name that the list offers in another way
    assert '<option selected value="UTC">UTC</option>' in editor.get(PAGE).text


def test_a_new_name_is_shown_everywhere(editor: ConsoleUser) -> None:
    editor.post(PAGE, GOOD | {"name": " Seva <b>Trust</b> "})
    page = editor.get(PAGE).text
    assert value(page, "name") == "Seva <b>Trust</b>"
    assert "<b>Trust" not in page


WRONG = (
    ("name", "  ", "Write a name of 1 to 200 characters."),
    ("name", "a" * 201, "Write a name of 1 to 200 characters."),
    ("glific_organization_id", "seventeen", "such as 17"),
    ("glific_organization_id", "1e3", "such as 17"),
    ("contact_daily_limit", "0", "a whole number from 1 to 10,000"),
    ("contact_daily_limit", "10001", "a whole number from 1 to 10,000"),
    ("calls_per_minute", "0", "a whole number from 1 to 100000"),
    ("contact_calls_per_minute", "100001", "a whole number from 1 to 100000"),
    ("monthly_budget_usd", "-1", "an amount in US dollars"),
    ("monthly_budget_usd", "NaN", "an amount in US dollars"),
    ("monthly_budget_usd", "ten", "an amount in US dollars"),
    ("memory_hours", "0", "from 1 to 168"),
    ("alert_email", "asha at example", "not an e-mail address"),
    ("memory_hours", "169", "from 1 to 168"),
)


def test_an_invalid_value_is_an_error_of_its_field_and_the_form_keeps_all_values(
    editor: ConsoleUser, alice: TestOrganization
) -> None:
    for field, typed, words in WRONG:
        answer = editor.post(PAGE, GOOD | {"fallback_message": "Typed with care"} | {field: typed})
        assert answer.status_code == 422
        error = answer.text.partition(f'id="{field}-error"')[2].partition("</div>")[0]
        assert words in error, (field, typed)
        assert value(answer.text, field) == typed
        assert "Typed with care</textarea>" in answer.text
    assert alice.ask("").json()["parsed_msg"] == FALLBACK_MESSAGE
    assert value(editor.get(PAGE).text, "name") == "Alice"


def test_the_fallback_message_must_be_visible(editor: ConsoleUser) -> None:
    answer = editor.post(PAGE, GOOD | {"fallback_message": "\u200b\u2060"})
    assert answer.status_code == 422
    assert "that contacts can see" in answer.text


def test_a_required_signature_takes_effect_on_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    editor.post(PAGE, GOOD | {"require_signature": "y"})
    assert alice.ask().status_code == 401
    assert "A signature is required but not set" in editor.get(PAGE).text
    editor.post(PHRASE, {"phrase": SECRET})
    assert "A signature is required but not set" not in editor.get(PAGE).text


def test_editors_choose_who_downloads_pictures(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert " checked" not in switch(editor.get(PAGE).text, "fetch_images")
    editor.post(PAGE, GOOD | {"fetch_images": "y"})
    assert " checked" in switch(editor.get(PAGE).text, "fetch_images")
    editor.post(PAGE, GOOD)
    assert " checked" not in switch(editor.get(PAGE).text, "fetch_images")


def test_the_signature_appears_in_no_page(owner: ConsoleUser) -> None:
    assert "Not set" in owner.get(PAGE).text
    assert owner.post(PHRASE, {"phrase": SECRET}).status_code == 302
    page = owner.get(PAGE).text
    assert "Replace signature" in page
    assert SECRET not in page
    assert SECRET not in owner.post(PAGE, GOOD | {"name": "", "phrase": SECRET}).text
    assert owner.post(CLEAR).status_code == 302
    assert "Not set" in owner.get(PAGE).text


@pytest.mark.parametrize("phrase", ["", "secret " * 200])
def test_an_invalid_signature_is_refused_and_not_shown_again(editor: ConsoleUser, phrase: str) -> None:
    answer = editor.post(PHRASE, {"phrase": phrase})
    assert answer.status_code == 422
    assert 'id="phrase-error"' in answer.text
    assert "secret secret" not in answer.text
    assert "Not set" in editor.get(PAGE).text


def test_only_administrators_can_switch_the_organization(
    owner: ConsoleUser, administrator: ConsoleUser, alice: TestOrganization
) -> None:
    assert 'name="is_active"' not in owner.get(PAGE).text
    administrator.post(PAGE, GOOD)
    assert alice.ask().json()["error_code"] == "organization_inactive"
    owner.post(PAGE, GOOD | {"is_active": "y"})
    assert alice.ask().json()["error_code"] == "organization_inactive"
    administrator.post(PAGE, GOOD | {"is_active": "y"})
    assert alice.ask().status_code == 200
    owner.post(PAGE, GOOD)
    assert alice.ask("And now?").status_code == 200


def test_the_roles_see_their_own_controls(viewer: ConsoleUser, editor: ConsoleUser) -> None:
    page = viewer.get(PAGE)
    assert page.status_code == 200
    assert "<fieldset disabled>" in page.text
    assert 'name="phrase"' not in page.text
    for person, path in ((viewer, PAGE), (viewer, PHRASE), (viewer, CLEAR), (editor, CLEAR)):
        assert person.post(path, GOOD).status_code == 403


def test_the_settings_of_another_organization_are_not_found(owner: ConsoleUser, bob: TestOrganization) -> None:
    assert owner.get(PAGE.replace("alice", "bob")).status_code == 404
    for path in (PAGE, PHRASE, CLEAR):
        assert owner.post(path.replace("alice", "bob"), GOOD | {"fallback_message": "Mine"}).status_code == 404
    assert bob.ask("").json()["parsed_msg"] == FALLBACK_MESSAGE
