"""The page of the Glific connection."""

from typing import Any

import httpx2
import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.console.views.glific import correct_address
from tests.conftest import StartServer
from tests.console.conftest import Staff
from tests.console.users import ConsoleUser
from tests.support.glific_stand_in import PASSWORD, PHONE, GlificStandIn
from tests.support.server import TestOrganization

PAGE = "/console/organizations/alice/glific"
PHRASE = "a phrase of alice and glific"


@pytest.fixture
def login(glific: GlificStandIn) -> dict[str, Any]:
    """Return a form with a login that Glific accepts."""
    return {"way": "api", "api_url": glific.url, "phone": PHONE, "password": PASSWORD}


def back_on_the_page(person: ConsoleUser, answer: httpx2.Response) -> str:
    assert (answer.status_code, answer.headers.get("Location")) == (302, PAGE), answer.text[:3000]
    return person.get(PAGE).text


def test_it_connects_with_a_login_that_glific_accepts(
    editor: ConsoleUser, alice: TestOrganization, login: dict[str, Any]
) -> None:
    assert alice.ask_deferred().json()["error_code"] == "glific_not_connected"
    page = back_on_the_page(editor, editor.post(PAGE, login))
    assert "Glific accepted the login." in page
    assert f"ends in {PHONE[-4:]}" in page
    assert alice.ask_deferred().json()["status"] == "pending"


def test_a_login_that_glific_refuses_is_not_saved_and_explained(
    editor: ConsoleUser, login: dict[str, Any], alice: TestOrganization
) -> None:
    refused = editor.post(PAGE, login | {"password": "another password"})
    assert refused.status_code == 422
    assert "Nothing was saved. Glific does not accept this phone number and password" in refused.text
    for word in ("--no-verify", "verify", "another password"):
        assert word not in refused.text.replace("verified", "")
    assert login["api_url"] in refused.text
    assert alice.ask_deferred().json()["error_code"] == "glific_not_connected"


def test_an_unreachable_glific_has_its_own_error(
    editor: ConsoleUser, login: dict[str, Any], alice: TestOrganization, glific: GlificStandIn
) -> None:
    glific.close()
    answer = editor.post(PAGE, login)
    assert answer.status_code == 502
    assert "Nothing was saved. Glific could not be reached at this address" in answer.text
    assert "does not accept" not in answer.text
    assert alice.ask_deferred().json()["error_code"] == "glific_not_connected"


WRONG = (
    ({"api_url": "https://api.example.org"}, "may not connect to a Glific API at that address"),
    ({"api_url": "nonsense"}, "must look like https://api."),
    ({"api_url": " "}, "Enter the address"),
    ({"api_url": "api.example.org"}, "may not connect to a Glific API at that address"),
    ({"phone": "098765"}, "Write it with its country code"),
    ({"phone": ""}, "Write it with its country code"),
    ({"password": ""}, "It is empty or too long"),
    ({"password": "x" * 1001}, "Use at most 1000 characters"),
)


def test_an_invalid_value_is_an_error_of_its_field(
    editor: ConsoleUser, login: dict[str, Any], glific: GlificStandIn
) -> None:
    for change, sentence in WRONG:
        refused = editor.post(PAGE, login | change)
        assert refused.status_code == 422
        (field,) = change
        error = refused.text.partition(f'id="{field}-error"')[2].partition("</div>")[0]
        assert sentence in error
        assert PASSWORD not in refused.text
    assert glific.requests == []


def test_an_unknown_way_is_refused(editor: ConsoleUser, login: dict[str, Any], glific: GlificStandIn) -> None:
    assert editor.post(PAGE, login | {"way": "by pigeon"}).status_code == 422
    assert glific.requests == []


def test_a_signed_connection_needs_the_webhook_signature(
    editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    form = {"way": "signed", "api_url": glific.url}
    assert "Set it on the Settings page." in editor.get(PAGE).text
    refused = editor.post(PAGE, form)
    assert (refused.status_code, "Set the webhook signature on the Settings page" in refused.text) == (422, True)
    assert "flask signature" not in refused.text
    alice.set_phrase(PHRASE)
    page = back_on_the_page(editor, editor.post(PAGE, form))
    assert "Signature set" in page
    assert alice.ask_deferred().json()["status"] == "pending"


def test_a_test_shows_the_current_answer_of_glific(
    editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    assert "never" in editor.get(PAGE).text
    page = back_on_the_page(editor, editor.post(f"{PAGE}/test"))
    assert "The test passed. Glific answered." in page
    assert "<time datetime=" in page
    glific.accounts.clear()
    page = back_on_the_page(editor, editor.post(f"{PAGE}/test"))
    assert "The test failed. Glific does not accept this phone number" in page


def test_a_signed_connection_can_be_tested_too(
    editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect_signed(glific, PHRASE)
    assert "The test passed" in back_on_the_page(editor, editor.post(f"{PAGE}/test"))
    glific.close()
    assert "could not be reached" in back_on_the_page(editor, editor.post(f"{PAGE}/test"))


def test_disconnecting_needs_a_confirmation_and_takes_effect_immediately(
    editor: ConsoleUser, alice: TestOrganization, glific: GlificStandIn
) -> None:
    alice.connect(glific)
    assert alice.ask_deferred().json()["status"] == "pending"
    assert 'data-confirm="The login is deleted' in editor.get(PAGE).text
    page = back_on_the_page(editor, editor.post(f"{PAGE}/disconnect"))
    assert "Disconnected." in page
    assert alice.ask_deferred().json()["error_code"] == "glific_not_connected"
    assert alice.ask().status_code == 200


def test_a_missing_connection_cannot_be_tested_or_disconnected(editor: ConsoleUser) -> None:
    assert "not connected" in back_on_the_page(editor, editor.post(f"{PAGE}/test"))
    assert "connection was already removed" in back_on_the_page(editor, editor.post(f"{PAGE}/disconnect"))


def test_a_viewer_can_read_but_not_change_anything(
    viewer: ConsoleUser, alice: TestOrganization, glific: GlificStandIn, login: dict[str, Any]
) -> None:
    alice.connect(glific)
    page = viewer.get(PAGE).text
    assert "<fieldset disabled>" in page
    assert f"{PAGE}/disconnect" not in page
    for path, form in ((PAGE, login), (f"{PAGE}/test", {}), (f"{PAGE}/disconnect", {})):
        assert viewer.post(path, form).status_code == 403
    assert glific.requests == []
    assert alice.ask_deferred().json()["status"] == "pending"


def test_the_login_appears_in_no_page_and_no_log(
    capfd: pytest.CaptureFixture[str], editor: ConsoleUser, alice: TestOrganization, login: dict[str, Any]
) -> None:
    alice.set_phrase(PHRASE)
    pages = [back_on_the_page(editor, editor.post(PAGE, login))]
    pages += [back_on_the_page(editor, editor.post(f"{PAGE}/{deed}")) for deed in ("test", "disconnect")]
    pages.append(editor.post(PAGE, login | {"phone": "+15550100200"}).text.replace("+15550100200", "", 1))
    written = capfd.readouterr()
    everything = "".join(pages) + written.out + written.err
    for secret in (PASSWORD, PHONE, PHONE[:8], "15550100200", PHRASE):
        assert secret not in everything


def test_the_page_of_another_organization_is_not_found(
    editor: ConsoleUser, bob: TestOrganization, login: dict[str, Any], glific: GlificStandIn
) -> None:
    for slug in (bob.slug, "nobody"):
        page = f"/console/organizations/{slug}/glific"
        assert editor.get(page).status_code == 404
        for path in (page, f"{page}/test", f"{page}/disconnect"):
            assert editor.post(path, login).status_code == 404
    assert glific.requests == []


def test_only_administrators_learn_the_hosts_that_the_operator_allows(
    start_server: StartServer, staff: Staff, login: dict[str, Any]
) -> None:
    intern = start_server(glific_hosts="*.glific.com,glific.intern.example")
    messages = {}
    for role in (Role.EDITOR, Role.OWNER, None):
        person = staff(role)
        person.server = intern
        refused = person.post(PAGE, login | {"api_url": "https://glific.example.org"})
        assert refused.status_code == 422
        messages[role] = "This server may not connect to a Glific API at that address." in refused.text
        assert ("glific.intern.example" in refused.text) == (role is None)
        assert ("ask an administrator" in refused.text) == (role is not None)
    assert all(messages.values())


def test_a_call_does_not_tell_the_hosts_that_the_operator_allows(
    start_server: StartServer, editor: ConsoleUser, login: dict[str, Any]
) -> None:
    """The list may have changed since the connection was saved."""
    editor.post(PAGE, login)
    editor.server = start_server(glific_hosts="glific.intern.example")
    page = back_on_the_page(editor, editor.post(f"{PAGE}/test"))
    assert "This server may not connect to a Glific API at that address." in page
    assert "intern" not in page


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("gramvikas.glific.com", "https://api.gramvikas.glific.com"),
        ("https://GramVikas.glific.com/chat/17", "https://api.gramvikas.glific.com"),
        ("api.gramvikas.glific.com", "https://api.gramvikas.glific.com"),
        ("https://api.gramvikas.glific.com/api", "https://api.gramvikas.glific.com/api"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("glific", "glific"),
        ("two words.org", "two words.org"),
    ],
)
def test_the_address_of_the_pages_becomes_that_of_the_api(typed: str, understood: str) -> None:
    assert correct_address(typed) == understood
