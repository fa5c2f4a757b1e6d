"""Administrators: at least one can always sign in, and a new one has no old credentials."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from glific_gpt.accounts import administration, people
from glific_gpt.accounts.tables import User
from glific_gpt.database import UNAVAILABLE, transaction
from glific_gpt.errors import Conflict
from tests.support.server import RunningServer

pytestmark = pytest.mark.both_databases

ADA, BEA, CHI = "ada@example.org", "bea@example.org", "chi@example.org"


@pytest.fixture
def ada(server: RunningServer) -> User:
    with server.app.app_context(), transaction() as session:
        return people.create_person(session, ADA, administrator=True)


def count_active(server: RunningServer) -> int:
    """Return the number of administrators that can sign in."""
    with server.app.app_context(), transaction() as session:
        return sum(each.user.active and each.user.is_administrator for each in administration.list_people(session))


def disable(server: RunningServer, email: str, by: User | None) -> None:
    with server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, email), by, is_active=False)


def test_the_last_active_administrator_cannot_be_disabled(server: RunningServer, ada: User) -> None:
    with pytest.raises(Conflict, match="only administrator who can sign in"):
        disable(server, ADA, None)
    assert count_active(server) == 1


def test_an_administrator_without_a_password_does_not_count_as_active(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        people.create_person(session, BEA, administrator=True)
    disable(server, BEA, ada)
    with pytest.raises(Conflict):
        disable(server, ADA, None)


def test_two_administrators_cannot_disable_each_other_at_the_same_time(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        bea = people.create_person(session, BEA, administrator=True)
    together = Barrier(2)

    def try_to_disable(email: str, by: User) -> None:
        together.wait()
        try:
            disable(server, email, by)
        except (Conflict, *UNAVAILABLE):
            return

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(try_to_disable, (BEA, ADA), (ada, bea)))
    assert count_active(server) >= 1


def test_a_new_administrator_loses_old_credentials(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        chi = people.create_person(session, CHI)
        chi.password, chi.tf_primary_method, before = "a hash", "authenticator", chi.fs_uniquifier
    with server.app.app_context(), transaction() as session:
        appointed = administration.grant_admin(session, CHI)
    assert appointed.is_administrator
    assert (appointed.password, appointed.has_two_factor) == (None, False)
    assert appointed.fs_uniquifier != before
