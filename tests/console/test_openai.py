"""OpenAI page: key, switch, tests and status."""

import re

import pytest

from tests.conftest import StartServer
from tests.console.users import ConsoleUser
from tests.support.openai_errors import missing_scopes, out_of_credit, refuse_key, wrong_region
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import TestOrganization

KEY = "sk-proj-typed-9876543210-WXYZ"
PAGE = "/console/organizations/alice/openai"
TEST = f"{PAGE}/test"
DELETE = f"{PAGE}/delete"
ON = {"is_active": "y"}


def switch_is_on(page: str) -> bool:
    """Return the state of the switch in the form."""
    found = re.search(r'<input[^>]*name="is_active"[^>]*>', page)
    assert found, page[:2000]
    return "checked" in found[0]


def test_a_saved_key_answers_the_next_call(editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    answer = editor.post(PAGE, {**ON, "api_key": f" {KEY}\n"})
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert alice.ask().status_code == 200
    assert [(sent.path, sent.api_key) for sent in openai.requests] == [
        ("/v1/models", KEY),
        ("/v1/chat/completions", KEY),
    ]
    page = editor.get(PAGE).text
    assert "Saved. The key that ends in ...WXYZ is switched on." in page
    assert "The saved key ends in ...WXYZ" in page


def test_saving_can_ask_a_question_which_shows_that_there_is_credit(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    assert editor.post(PAGE, {**ON, "api_key": KEY, "ask": "y"}).status_code == 302
    page = editor.get(PAGE).text
    assert "OpenAI answered a test question after" in page
    assert "alert-success" in page
    assert "Next step: Put the flow into Glific" in page
    openai.for_key(KEY, out_of_credit())
    assert editor.post(PAGE, {**ON, "ask": "y"}).status_code == 302
    page = editor.get(PAGE).text
    assert "But the test question got no answer: OpenAI says that this key" in page
    assert "alert-success" not in page
    asked = len(openai.requests)
    editor.post(PAGE, {"ask": "y"})
    assert len(openai.requests) == asked  # the key is switched off


def test_a_key_that_is_only_saved_is_no_green_success(editor: ConsoleUser) -> None:
    editor.post(PAGE, {**ON, "api_key": KEY})
    page = editor.get(PAGE).text
    assert "alert-success" not in page
    assert "Next step: Ask a test question" in page


def test_the_key_appears_in_no_page(owner: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn) -> None:
    openai.for_key(KEY, refuse_key())
    typed = {**ON, "api_key": KEY}
    seen = [owner.post(path, typed).text for path in (TEST, PAGE)]
    owner.post(PAGE, {**typed, "unverified": "y"})
    seen += [owner.get(path).text for path in (PAGE, PAGE.replace("openai", "models"), "/console/organizations/alice/")]
    for page in seen:
        assert KEY[:12] not in page
        assert KEY[-8:] not in page
        assert alice.key[:12] not in page


def test_a_key_that_openai_refuses_is_not_saved_and_explained(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.for_key(KEY, refuse_key())
    answer = editor.post(PAGE, {"api_key": KEY})
    assert answer.status_code == 422
    assert "The key was not saved" in answer.text
    assert "OpenAI refused this key" in answer.text
    assert "--no-verify" not in answer.text
    assert 'name="unverified"' not in answer.text
    assert not switch_is_on(answer.text)
    assert alice.ask().status_code == 200
    assert openai.requests[-1].api_key == alice.key


def test_saving_without_a_test_is_offered_after_openai_could_not_be_reached(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    assert 'name="unverified"' not in editor.get(PAGE).text
    openai.close()
    refused = editor.post(PAGE, {**ON, "api_key": KEY})
    assert refused.status_code == 502
    assert "OpenAI could not be reached" in refused.text
    assert 'name="unverified"' in refused.text
    assert editor.post(PAGE, {**ON, "api_key": KEY, "unverified": "y"}).status_code == 302
    page = editor.get(PAGE).text
    assert "The saved key ends in ...WXYZ" in page
    assert "Switched on, not tested" in page


@pytest.mark.parametrize("typed", ["short", f"{KEY} {KEY}", "sk-कुंजी-123456"])
def test_an_impossible_key_is_refused_without_asking_openai(
    editor: ConsoleUser, openai: OpenAIStandIn, typed: str
) -> None:
    saved, tested = editor.post(PAGE, {**ON, "api_key": typed}), editor.post(TEST, {**ON, "api_key": typed})
    assert (saved.status_code, tested.status_code) == (422, 200)
    for answer in (saved, tested):
        assert "This is not an OpenAI key" in answer.text
        assert typed not in answer.text
    assert openai.requests == []


def test_the_switch_takes_effect_on_the_next_call(editor: ConsoleUser, alice: TestOrganization) -> None:
    assert alice.ask().status_code == 200
    editor.post(PAGE, {})
    refused = alice.ask()
    assert (refused.status_code, refused.json()["error_code"]) == (409, "credential_inactive")
    assert not switch_is_on(editor.get(PAGE).text)
    editor.post(PAGE, ON)
    assert alice.ask().status_code == 200


def test_a_switch_that_was_not_touched_keeps_the_change_of_a_colleague(
    editor: ConsoleUser, alice: TestOrganization
) -> None:
    assert '<input type="hidden" name="was-is_active" value="True">' in editor.get(PAGE).text
    alice.switch_key(on=False)  # by a colleague, since the page was opened
    editor.post(PAGE, ON | {"was-is_active": "True", "was-key": alice.key[-4:]})
    page = editor.get(PAGE).text
    assert "A colleague has meanwhile switched OpenAI off." in page
    assert not switch_is_on(page)
    editor.post(PAGE, ON | {"was-is_active": "", "was-key": alice.key[-4:]})
    assert switch_is_on(editor.get(PAGE).text)


def test_a_key_that_a_colleague_has_saved_is_not_replaced_without_a_question(
    editor: ConsoleUser, alice: TestOrganization
) -> None:
    opened = {"was-is_active": "True", "was-key": alice.key[-4:]}
    alice.set_key("sk-of-a-colleague-1234")
    typed = ON | {"api_key": KEY}
    refused = editor.post(PAGE, typed | opened)
    assert refused.status_code == 409
    assert "A colleague has saved another key since you opened the page. It ends in ...1234." in refused.text
    assert 'name="was-key" value="1234"' in refused.text
    assert KEY not in refused.text
    tested = editor.post(TEST, typed | opened).text  # replaces nothing, so the conflict is not shown yet
    assert f'name="was-key" value="{opened["was-key"]}"' in tested
    assert editor.post(PAGE, typed | opened | {"was-key": "1234"}).status_code == 302
    assert "...WXYZ" in editor.get(PAGE).text


def test_switching_off_shows_a_confirmation_with_the_message(editor: ConsoleUser, alice: TestOrganization) -> None:
    alice.change(fallback_message="Our helpline opens at nine.")
    asked = re.search(r'data-confirm="([^"]+)"', editor.get(PAGE).text)
    assert asked
    assert "Our helpline opens at nine." in asked[1]
    editor.post(PAGE, {})
    assert 'data-confirm="' not in editor.get(PAGE).text


def test_the_switch_needs_a_saved_key(owner: ConsoleUser) -> None:
    owner.post(DELETE)
    answer = owner.post(PAGE, ON)
    assert answer.status_code == 422
    assert "There is no key yet" in answer.text


def test_a_test_asks_about_the_typed_key_and_saves_nothing(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    page = editor.post(TEST, {**ON, "api_key": KEY}).text
    assert "OpenAI accepts this key. It has access to 16 text models. The key is not saved yet." in page
    assert openai.requests[-1].api_key == KEY
    assert f"...{alice.key[-4:]}" in editor.get(PAGE).text
    alice.ask()
    assert openai.requests[-1].api_key == alice.key


def test_a_test_with_an_empty_field_asks_about_the_saved_key(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    assert "OpenAI accepts the saved key. It has access to 16 text models." in editor.post(TEST, {}).text
    assert openai.requests[-1].api_key == alice.key
    assert alice.ask().status_code == 200


def test_a_test_explains_the_answer_of_openai(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    for behaviour, words in (
        (refuse_key(), "OpenAI refused this key"),
        (missing_scopes(), "Give it this permission"),
        (out_of_credit(), "no credit left"),
    ):
        openai.for_models(behaviour)
        assert words in editor.post(TEST, {}).text
    openai.for_models(lambda exchange: exchange.send_json(200, {"object": "list", "data": []}))
    assert "the key has no access to text models" in editor.post(TEST, {}).text


def test_an_htmx_test_gets_only_the_result(editor: ConsoleUser) -> None:
    answer = editor.client.post(
        editor.server.url + TEST, data={"csrf_token": editor.token()}, headers={"HX-Request": "true"}
    )
    assert "OpenAI accepts the saved key" in answer.text
    assert "<html" not in answer.text


def test_a_test_without_a_key_is_explained(owner: ConsoleUser) -> None:
    owner.post(DELETE)
    assert "has no OpenAI key" in owner.post(TEST, {}).text


def test_it_shows_the_last_error_and_the_last_successful_answer(
    viewer: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    assert viewer.get(PAGE).text.count("<time") == 0
    alice.ask()
    page = viewer.get(PAGE).text
    assert page.count("<time") == 1
    assert "no credit left" not in page
    openai.always(out_of_credit())
    alice.ask("And now?")
    page = viewer.get(PAGE).text
    assert "account has no credit left" in page
    assert "under Billing" in page


def test_listed_models_do_not_show_that_the_account_has_credit(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.always(out_of_credit())
    alice.ask()
    editor.post(PAGE.replace("openai", "models/refresh"))
    assert "account has no credit left" in editor.get(PAGE).text


def test_an_owner_can_delete_the_key(owner: ConsoleUser, alice: TestOrganization) -> None:
    assert owner.post(DELETE).status_code == 302
    assert alice.ask().json()["error_code"] == "credential_missing"
    assert "The key is deleted." in owner.get(PAGE).text
    assert owner.post(DELETE).status_code == 302
    assert "The key was already deleted." in owner.get(PAGE).text


def test_the_roles_see_their_own_controls(viewer: ConsoleUser, editor: ConsoleUser, alice: TestOrganization) -> None:
    assert viewer.get(PAGE).status_code == 200
    assert "api_key" not in viewer.get(PAGE).text
    for person, path in ((viewer, PAGE), (viewer, TEST), (viewer, DELETE), (editor, DELETE)):
        assert person.post(path, {}).status_code == 403
    assert DELETE not in editor.get(PAGE).text
    assert alice.ask().status_code == 200


def test_the_key_of_another_organization_is_not_found(owner: ConsoleUser, bob: TestOrganization) -> None:
    foreign = PAGE.replace("alice", "bob")
    assert owner.get(foreign).status_code == 404
    for path in (foreign, f"{foreign}/test", f"{foreign}/delete"):
        assert owner.post(path, {"api_key": KEY}).status_code == 404
    assert bob.ask().status_code == 200


EU = "https://eu.api.openai.com/v1"
INDIA = "https://in.api.openai.com/v1"


def selected_address(page: str) -> str:
    """Return the address that is selected in the form."""
    found = re.search(r'<option selected value="([^"]*)">', page)
    assert found, page[:2000]
    return found[1]


def test_the_regions_that_are_allowed_can_be_chosen(editor: ConsoleUser, alice: TestOrganization) -> None:
    page = editor.get(PAGE).text
    assert (selected_address(page), "India (in.api.openai.com)" in page) == ("", True)
    assert 'name="other_address"' not in page
    typed = {**ON, "api_key": KEY, "unverified": "y", "address": EU}
    assert editor.post(PAGE, typed).status_code == 302
    page = editor.get(PAGE).text
    assert selected_address(page) == EU
    assert EU in page.partition("Saved key")[2]


def test_a_saved_key_is_never_sent_to_another_address(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    refused = editor.post(PAGE, {**ON, "address": EU})
    assert refused.status_code == 422
    assert "A saved key is never sent to another address." in refused.text
    assert "A saved key is never sent to another address." in editor.post(TEST, {"address": EU}).text
    assert alice.ask().status_code == 200
    assert openai.requests[-1].api_key == alice.key
    assert editor.post(PAGE, {"address": ""}).status_code == 302  # the switch alone
    assert alice.ask().json()["error_code"] == "credential_inactive"


def test_an_address_beside_the_list_must_be_allowed(editor: ConsoleUser, alice: TestOrganization) -> None:
    for address in ("https://evil.example/v1", "http://10.0.0.5/v1"):
        typed = {**ON, "api_key": KEY, "unverified": "y", "address": "other", "other_address": address}
        refused = editor.post(PAGE, typed)
        assert refused.status_code == 422
        assert "This server may not send a key to that address." in refused.text
        refused = editor.post(PAGE, typed | {"address": address})
        assert refused.status_code == 422


def test_a_server_that_the_operator_allows_can_be_used(
    editor: ConsoleUser, start_server: StartServer, alice: TestOrganization, other_openai: OpenAIStandIn
) -> None:
    other_openai.models = ["Qwen/Qwen3-8B"]
    editor.server = start_server(openai_hosts="*.api.openai.com,127.0.0.1")
    typed = {**ON, "api_key": "EMPTY", "address": "other", "other_address": other_openai.base_url}
    assert "The server 127.0.0.1 accepts the key. It has 1 text models." in editor.post(TEST, typed).text
    other_openai.reset()
    other_openai.models = ["Qwen/Qwen3-8B"]
    assert editor.post(PAGE, typed).status_code == 302
    page = editor.get(PAGE).text
    assert "This server does not list the default model gpt-4o." in page
    assert selected_address(page) == "other"
    assert f'value="{other_openai.base_url}"' in page
    assert [sent.api_key for sent in other_openai.requests] == ["EMPTY"]
    assert "The saved key ends in ...Y" in page


def test_a_key_of_a_region_is_offered_its_address(
    editor: ConsoleUser, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    openai.for_models(wrong_region())
    refused = editor.post(PAGE, {**ON, "api_key": KEY, "address": ""})
    assert refused.status_code == 422
    assert "OpenAI serves it at in.api.openai.com only, which is selected now." in refused.text
    assert selected_address(refused.text) == INDIA
    tested = editor.post(TEST, {**ON, "api_key": KEY, "address": ""})
    assert f'data-address="{INDIA}"' in tested.text
    assert KEY not in refused.text + tested.text


def test_an_address_that_is_not_allowed_is_not_offered(
    editor: ConsoleUser, start_server: StartServer, alice: TestOrganization, openai: OpenAIStandIn
) -> None:
    editor.server = start_server(openai_hosts="api.openai.com")
    openai.for_models(wrong_region())
    refused = editor.post(PAGE, {**ON, "api_key": KEY, "address": ""})
    assert "Save the key with the address https://in.api.openai.com/v1" in refused.text
    assert selected_address(refused.text) == ""
    assert "data-address" not in editor.post(TEST, {**ON, "api_key": KEY}).text
