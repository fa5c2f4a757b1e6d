"""Passwords: change, reset, one-time links, and no trace in logs."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.sign_in.security import one_time_link
from glific_gpt.audit import trail
from glific_gpt.database import transaction
from glific_gpt.errors import Conflict
from tests.accounts.conftest import AddPerson
from tests.accounts.test_sign_in import ACCOUNT, is_signed_in
from tests.console.users import PASSWORD, ConsoleUser, create_client
from tests.support.apps import REAL_PASSWORDS

CHANGE = "/console/account/password"
NEW = "another horse, another battery"


@pytest.fixture
def password_cost() -> Mapping[str, int]:
    return REAL_PASSWORDS


def link_for(person: ConsoleUser) -> str:
    """Return the path of a new one-time link."""
    with person.server.app.app_context():
        with transaction() as session:
            user = people.find_person(session, person.email)
        link = one_time_link(user)
    public = person.server.services.settings.public_url
    assert link.startswith(f"{public}/console/account/reset/")
    return link.removeprefix(public)


def choose(person: ConsoleUser, path: str, password: str = NEW) -> int:
    """Choose a password in another browser, which is then signed in."""
    fields = {"password": password, "password_confirm": password}
    with create_client() as client:
        return ConsoleUser(person.server, person.email, client).post(path, fields, page=path).status_code


def change(person: ConsoleUser, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> int:
    fields = {"password": old, "new_password": new, "new_password_confirm": new if again is None else again}
    return person.post(CHANGE, fields, page=CHANGE).status_code


def actions(person: ConsoleUser) -> list[tuple[str, str]]:
    """Return the actions and actors of the audit trail, newest first."""
    with person.server.app.app_context(), transaction() as session:
        return [(entry.action, entry.actor) for entry in trail.list_entries(session, None)]


def test_a_link_sets_a_password_once(asha: ConsoleUser) -> None:
    path = link_for(asha)
    assert asha.email in asha.get(path).text
    assert choose(asha, path) == 302
    assert asha.sign_in(PASSWORD).status_code == 422
    assert asha.sign_in(NEW).status_code == 302
    again = asha.get(path)
    assert (again.status_code, again.headers["Location"]) == (302, "/console/account/forgotten")
    assert "was used already" in asha.get("/console/account/forgotten").text


def test_a_person_who_has_chosen_a_password_is_signed_in(asha: ConsoleUser) -> None:
    path = link_for(asha)
    chosen = asha.post(path, {"password": NEW, "password_confirm": NEW}, page=path)
    assert chosen.headers["Location"] == "/console/"
    assert "Password saved." in asha.get("/console/account/").text


def test_a_link_that_is_used_twice_at_the_same_time_works_once(asha: ConsoleUser) -> None:
    path, chosen = link_for(asha), ("the first to be chosen", "the second to be chosen")
    with create_client() as one, create_client() as other:
        both = [ConsoleUser(asha.server, asha.email, client) for client in (one, other)]
        tokens = [person.token(path) for person in both]

        def send(number: int) -> str:
            fields = dict.fromkeys(("password", "password_confirm"), chosen[number])
            data = {"csrf_token": tokens[number]} | fields
            answer = both[number].client.post(asha.server.url + path, data=data)
            return answer.headers.get("Location", str(answer.status_code))

        with ThreadPoolExecutor(2) as threads:
            locations = list(threads.map(send, range(2)))
    assert locations.count("/console/") == 1
    winner = locations.index("/console/")
    assert asha.sign_in(chosen[1 - winner]).status_code == 422
    assert asha.sign_in(chosen[winner]).status_code == 302


def test_a_password_is_not_saved_after_a_concurrent_change(asha: ConsoleUser) -> None:
    with asha.server.app.app_context():
        datastore = asha.server.app.extensions["security"].datastore
        first, second = datastore.find_user(email=asha.email), datastore.find_user(email=asha.email)
        datastore.set_uniquifier(first)
        datastore.commit()
        with pytest.raises(Conflict, match="at the same moment"):
            datastore.set_uniquifier(second)
        assert datastore.find_user(email=asha.email).fs_uniquifier == first.fs_uniquifier


def test_a_hash_with_other_parameters_is_replaced(asha: ConsoleUser) -> None:
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).password = PasswordHasher().hash(PASSWORD)
    assert asha.sign_in().status_code == 302
    with asha.server.app.app_context(), transaction() as session:
        hashed = people.find_person(session, asha.email).password
    assert str(hashed).startswith("$argon2id$v=19$m=47104,t=1,p=1$")


def test_a_disabled_user_gets_no_link(asha: ConsoleUser) -> None:
    with asha.server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, asha.email), None, is_active=False)
    with pytest.raises(Conflict, match="switched off"):
        link_for(asha)


def test_a_link_is_invalid_after_another_one_was_used(asha: ConsoleUser) -> None:
    first, second = link_for(asha), link_for(asha)
    assert choose(asha, second) == 302
    assert asha.get(first).status_code == 302


def test_a_modified_link_is_refused(asha: ConsoleUser) -> None:
    path = link_for(asha)
    assert asha.get(path[:-3] + "abc").status_code == 302
    assert asha.get("/console/account/reset/nonsense").status_code == 302


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 129])
def test_a_password_that_is_too_short_or_too_long_is_refused(asha: ConsoleUser, password: str) -> None:
    path = link_for(asha)
    assert choose(asha, path, password) == 422
    assert choose(asha, path, NEW) == 302


def test_a_new_password_ends_every_other_session(asha: ConsoleUser) -> None:
    elsewhere = ConsoleUser(asha.server, asha.email, create_client())
    with elsewhere.client:
        elsewhere.sign_in()
        asha.sign_in()
        assert change(asha) == 302
        assert is_signed_in(asha)
        assert not is_signed_in(elsewhere)


def test_a_change_needs_the_old_password(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert change(asha, old="something else, and long") == 422
    assert change(asha, again="not the same as before") == 422
    assert change(asha, new=PASSWORD) == 422
    assert change(asha, new="short") == 422
    assert change(asha) == 302
    assert ("password_changed", asha.email) in actions(asha)


def test_a_required_change_blocks_all_other_pages(asha: ConsoleUser) -> None:
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).must_change_password = True
    asha.sign_in()
    for path in (ACCOUNT, "/console/organizations/alice/", "/console/account/two-factor"):
        answer = asha.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, CHANGE)
    assert change(asha) == 302
    assert is_signed_in(asha)


def test_an_initial_password_is_not_asked_for_again(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert 'name="password"' in asha.get(CHANGE).text
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).must_change_password = True
    assert 'name="password"' not in asha.get(CHANGE).text
    for refused, said in {PASSWORD: "This is your current password.", "short": "Choose a password with"}.items():
        answer = asha.post(CHANGE, {"new_password": refused, "new_password_confirm": refused}, page=CHANGE)
        assert (answer.status_code, said in answer.text) == (422, True)
    assert asha.post(CHANGE, {"new_password": NEW, "new_password_confirm": PASSWORD}, page=CHANGE).status_code == 422
    assert asha.post(CHANGE, {"new_password": NEW, "new_password_confirm": NEW}, page=CHANGE).status_code == 302
    assert asha.post(CHANGE, {"new_password": PASSWORD, "new_password_confirm": PASSWORD}).status_code == 422
    with create_client() as client:
        assert ConsoleUser(asha.server, asha.email, client).sign_in(NEW).status_code == 302


def test_creating_and_using_a_link_is_in_the_audit_trail(asha: ConsoleUser) -> None:
    choose(asha, link_for(asha))
    assert actions(asha)[:3] == [
        ("signed_in", asha.email),
        ("password_reset", asha.email),
        ("sign_in_link_made", "server"),
    ]


def test_without_a_mail_server_the_page_names_who_can_create_a_link(asha: ConsoleUser) -> None:
    page = asha.get("/console/account/forgotten").text
    assert "for a link to choose a new password" in page
    assert not re.search(r'type="email"', page)


def test_no_password_and_no_hash_is_in_the_logs(asha: ConsoleUser, capsys: pytest.CaptureFixture[str]) -> None:
    asha.sign_in("wrong password, wrong horse")
    asha.sign_in()
    change(asha)
    with asha.server.app.app_context(), transaction() as session:
        hashed = people.find_person(session, asha.email).password or ""
    logged = "".join(capsys.readouterr())
    assert hashed.startswith("$argon2id$")
    for secret in (PASSWORD, NEW, hashed, "wrong horse"):
        assert secret not in logged


def test_a_link_changes_no_other_account(add_person: AddPerson) -> None:
    asha, bea = add_person("asha@example.org"), add_person("bea@example.org")
    assert choose(asha, link_for(asha)) == 302
    assert bea.sign_in(NEW).status_code == 422
    assert bea.sign_in().status_code == 302
