"""Every page and every role: who may, who may not, and who cannot even tell that it is there."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest

from glific_gpt.accounts.tables import Role
from glific_gpt.console.access import Lock, lock_of
from tests.console.addresses import Address, addresses
from tests.console.people import Person, employ, stranger
from tests.support.house import House

MEANT = {
    Lock.ANYBODY: ("set_language",),
    Lock.SIGNED_IN: ("account", "home", "set_own_language"),
    Lock.VIEWER: (
        *("overview", "openai", "models", "use_in_glific", "try_it", "list_calls", "show_call", "export_calls"),
        *("glific", "organization_settings", "members", "audit_trail"),
    ),
    Lock.EDITOR: (
        *("openai_save", "openai_test", "models_save", "models_default", "models_preview", "models_refresh"),
        *("create_webhook_token", "revoke_webhook_token", "make_trial", "retry_call"),
        *("download_flow", "convert_flow", "preview_conversion", "check_up"),
        *("connect_glific", "disconnect_glific", "test_glific"),
        *("organization_settings_save", "organization_settings_phrase"),
    ),
    Lock.OWNER: (
        *("openai_delete", "organization_settings_clear"),
        *("invite_member", "change_role", "remove_member", "make_member_link"),
    ),
    Lock.ADMINISTRATOR: (
        *("list_organizations", "new_organization", "create_organization", "switch_organization"),
        *("server_models", "server_models_save", "server_models_preview", "server_audit"),
        *("server_people", "server_person", "make_administrator", "dismiss_administrator", "make_person_link"),
        *("activate_person", "deactivate_person", "forget_second_factor"),
    ),
}
EXPECTED = {f"console.{name}": lock for lock, names in MEANT.items() for name in names}
"""Which lock each page is meant to have: a new page has to be thought about here."""

SPARE = 6
"""The id of a member whom the test needs for nothing."""

HELD = {
    "stranger": Lock.ANYBODY,
    "of another organization": Lock.SIGNED_IN,
    Role.VIEWER: Lock.VIEWER,
    Role.EDITOR: Lock.EDITOR,
    Role.OWNER: Lock.OWNER,
    "administrator": Lock.ADMINISTRATOR,
}


@dataclass
class World:
    """A house with somebody of every kind in it, and every address of its console."""

    house: House
    people: dict[str, Person]
    pages: list[Address]

    def ask(self, who: str, page: Address) -> httpx2.Response:
        person = self.people[who]
        if page.method == "GET":
            return person.get(page.path)
        return person.post(page.path, {})

    def lock(self, page: Address) -> Lock:
        found = lock_of(self.house.app, page.endpoint)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def world(lasting_house: House) -> Iterator[World]:
    house = lasting_house
    alice, bob = house.ngo("alice"), house.ngo("bob")
    people = {"stranger": stranger(house), "administrator": employ(house, "admin@example.org")}
    people["of another organization"] = employ(house, "o@bob.example.org", Role.OWNER, bob.slug)
    people |= {role: employ(house, f"{role}@alice.example.org", role, alice.slug) for role in Role}
    for name, person in people.items():
        assert name == "stranger" or person.sign_in().status_code == 302
    employ(house, "spare@alice.example.org", Role.VIEWER, alice.slug)
    call_id = alice.ask().json()["call_id"]
    yield World(house, people, [page for page in _pages(house, call_id) if page.endpoint.startswith("console.")])
    for person in people.values():
        person.client.close()


def _pages(house: House, call_id: str, slug: str = "alice") -> list[Address]:
    return addresses(house.app, slug=slug, call_id=call_id, token_id=1, user_id=SPARE, token="nonsense")


def test_a_page_has_the_lock_that_was_thought_about(world: World) -> None:
    assert {page.endpoint: world.lock(page) for page in world.pages} == EXPECTED


def test_a_stranger_is_sent_to_sign_in(world: World) -> None:
    for page in world.pages:
        answer = world.ask("stranger", page)
        if world.lock(page) is Lock.ANYBODY:
            assert answer.status_code in (200, 302), page
        else:
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (
                302,
                "/console/account/sign-in",
            ), page


@pytest.mark.parametrize("who", [Role.VIEWER, Role.EDITOR, Role.OWNER])
def test_a_role_reaches_what_it_includes_and_nothing_beyond(world: World, who: str) -> None:
    for page in _gentle_first(world.pages):
        if world.lock(page) is Lock.ADMINISTRATOR:
            assert world.ask(who, page).status_code == 404, page
        elif world.lock(page) > HELD[who]:
            assert world.ask(who, page).status_code == 403, page
        elif page.method == "GET":
            assert world.ask(who, page).status_code in (200, 302), page
        else:
            answer = world.ask(who, page)
            assert answer.status_code not in (401, 403, 405, 500), page
            assert "sign-in" not in answer.headers.get("Location", ""), page


def test_a_foreign_organization_looks_like_one_that_is_not_there(world: World) -> None:
    who = "of another organization"
    nowhere = _pages(world.house, "call_1", slug="nowhere")
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


def test_the_servers_pages_are_not_there_for_anybody_but_administrators(world: World) -> None:
    pages = [page for page in world.pages if world.lock(page) is Lock.ADMINISTRATOR]
    assert pages
    for page in pages:
        assert world.ask(Role.OWNER, page).status_code == 404, page
    for page in pages:
        if page.method == "GET":
            assert world.ask("administrator", page).status_code == 200, page


def _gentle_first(pages: list[Address]) -> list[Address]:
    """Pages before deeds, which change what is there."""
    return sorted(pages, key=lambda page: (page.method != "GET", page.endpoint))


def _without_own_words(text: str) -> str:
    """The page less what it repeats of its own address, and its token."""
    return "\n".join(line for line in text.splitlines() if "csrf_token" not in line and 'name="next"' not in line)
