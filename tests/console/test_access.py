"""Access levels: every page with every role."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from glific_gpt import __version__
from glific_gpt.accounts.tables import Role
from glific_gpt.console.access import AccessLevel, required_level
from tests.console.addresses import Address, list_addresses
from tests.console.users import ConsoleUser, create_anonymous, create_user
from tests.support.server import RunningServer

EXPECTED_ENDPOINTS = {
    AccessLevel.PUBLIC: ("set_language",),
    AccessLevel.SIGNED_IN: ("account", "help_page", "home", "set_own_language"),
    AccessLevel.VIEWER: (
        *("overview", "openai", "models", "try_it", "list_calls", "show_call", "export_calls"),
        *("use_in_glific", "show_conversion", "show_check_up", "by_hand", "webhook_tokens"),
        *("report", "export_report"),
        *("documents", "glific", "organization_settings", "members", "audit_trail"),
    ),
    AccessLevel.EDITOR: (
        *("save_openai", "test_openai", "save_models", "save_default_model", "preview_models", "refresh_models"),
        "save_fallback_model",
        *("upload_document", "remove_document", "create_vector_store", "choose_vector_store"),
        *("create_webhook_token", "revoke_webhook_token", "ask_test_question", "retry_call"),
        *("download_flow", "prepare_flow", "convert_flow", "preview_conversion", "check_up"),
        *("connect_glific", "disconnect_glific", "test_glific"),
        *("save_organization_settings", "save_webhook_signature"),
    ),
    AccessLevel.OWNER: (
        *("delete_openai_key", "delete_webhook_signature"),
        *("invite_member", "change_role", "remove_member", "create_member_link"),
        *("organization_data", "export_organization"),
    ),
    AccessLevel.ADMINISTRATOR: (
        *("list_organizations", "new_organization", "create_organization", "switch_organization"),
        *("server_models", "save_server_models", "preview_server_models", "server_audit"),
        *("server_report", "export_server_report", "save_rupee_rate"),
        *("server_people", "server_person", "add_administrator", "remove_administrator", "create_person_link"),
        *("switch_person", "reset_two_factor", "require_two_factor"),
        *("delete_organization", "confirm_person_deletion", "delete_person"),
    ),
}
EXPECTED_LEVELS = {f"console.{name}": level for level, names in EXPECTED_ENDPOINTS.items() for name in names}
"""The expected access level of each page. Add new pages here."""

SPARE_USER_ID = 6
"""The id of a member that no test uses otherwise."""

GRANTED_LEVELS = {
    "stranger": AccessLevel.PUBLIC,
    "of another organization": AccessLevel.SIGNED_IN,
    Role.VIEWER: AccessLevel.VIEWER,
    Role.EDITOR: AccessLevel.EDITOR,
    Role.OWNER: AccessLevel.OWNER,
    "administrator": AccessLevel.ADMINISTRATOR,
}


@dataclass
class World:
    """A server with one user of each role, and all addresses of its console."""

    server: RunningServer
    people: dict[str, ConsoleUser]
    pages: list[Address]

    def ask(self, who: str, page: Address) -> httpx2.Response:
        person = self.people[who]
        if page.method == "GET":
            return person.get(page.path)
        return person.post(page.path, {})

    def level(self, page: Address) -> AccessLevel:
        found = required_level(self.server.app, page.endpoint)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def world(shared_server: RunningServer) -> Iterator[World]:
    server = shared_server
    alice, bob = server.add_organization("alice"), server.add_organization("bob")
    people = {"stranger": create_anonymous(server), "administrator": create_user(server, "admin@example.org")}
    people["of another organization"] = create_user(server, "o@bob.example.org", Role.OWNER, bob.slug)
    people |= {role: create_user(server, f"{role}@alice.example.org", role, alice.slug) for role in Role}
    for name, person in people.items():
        assert name == "stranger" or person.sign_in().status_code == 302
    create_user(server, "spare@alice.example.org", Role.VIEWER, alice.slug)
    call_id = alice.ask().json()["call_id"]
    yield World(server, people, [page for page in _pages(server, call_id) if page.endpoint.startswith("console.")])
    for person in people.values():
        person.client.close()


def _pages(server: RunningServer, call_id: str, slug: str = "alice") -> list[Address]:
    return list_addresses(server.app, slug=slug, call_id=call_id, token_id=1, user_id=SPARE_USER_ID, token="nonsense")


def test_every_page_has_the_expected_access_level(world: World) -> None:
    assert {page.endpoint: world.level(page) for page in world.pages} == EXPECTED_LEVELS


def test_the_footer_shows_the_version_to_people_who_are_signed_in(world: World) -> None:
    page, sign_in = "/console/organizations/alice/", "/console/account/sign-in"
    assert f"glific_gpt {__version__}" in world.people[Role.VIEWER].get(page).text
    assert __version__ not in world.people["stranger"].get(sign_in).text


def test_a_request_without_a_session_is_sent_to_sign_in(world: World) -> None:
    for page in world.pages:
        answer = world.ask("stranger", page)
        if world.level(page) is AccessLevel.PUBLIC:
            assert answer.status_code in (200, 302), page
        else:
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
                302,
                "/console/account/sign-in",
            ), page


@pytest.mark.parametrize("who", [Role.VIEWER, Role.EDITOR, Role.OWNER])
def test_a_role_reaches_its_own_pages_only(world: World, who: str) -> None:
    for page in _gentle_first(world.pages):
        if world.level(page) is AccessLevel.ADMINISTRATOR:
            assert world.ask(who, page).status_code == 404, page
        elif world.level(page) > GRANTED_LEVELS[who]:
            assert world.ask(who, page).status_code == 403, page
        elif page.method == "GET":
            assert world.ask(who, page).status_code in (200, 302), page
        else:
            answer = world.ask(who, page)
            assert answer.status_code not in (401, 403, 405, 500), page
            assert "sign-in" not in answer.headers.get("Location", ""), page


def test_another_organization_looks_like_a_missing_one(world: World) -> None:
    who = "of another organization"
    nowhere = _pages(world.server, "call_1", slug="nowhere")
    there = {page.endpoint: page for page in world.pages if "alice" in page.path}
    asked = 0
    for absent in nowhere:
        if absent.endpoint in there and "nowhere" in absent.path:
            page = Address(absent.method, absent.endpoint, there[absent.endpoint].path)
            foreign, missing = world.ask(who, page), world.ask(who, absent)
            assert (foreign.status_code, missing.status_code) == (404, 404), page
            assert _without_own_words(foreign.text) == _without_own_words(missing.text)
            asked += 1
    assert asked >= 20


def test_pages_of_administrators_are_not_found_for_others(world: World) -> None:
    pages = [page for page in world.pages if world.level(page) is AccessLevel.ADMINISTRATOR]
    assert pages
    for page in pages:
        assert world.ask(Role.OWNER, page).status_code == 404, page
    for page in pages:
        if page.method == "GET":
            assert world.ask("administrator", page).status_code == 200, page


def _gentle_first(pages: list[Address]) -> list[Address]:
    """Order GET requests first, because POST requests change the data."""
    return sorted(pages, key=lambda page: (page.method != "GET", page.endpoint))


def _without_own_words(text: str) -> str:
    """Return the page without its own address and its CSRF token."""
    return "\n".join(line for line in text.splitlines() if "csrf_token" not in line and 'name="next"' not in line)
