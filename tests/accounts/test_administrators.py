"""Administrators among themselves: there is always one who can sign in."""

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


def able(server: RunningServer) -> int:
    """How many administrators can sign in."""
    with server.app.app_context(), transaction() as session:
        return sum(user.active and user.is_administrator for user in people.list_people(session))


def end(server: RunningServer, email: str, by: User | None) -> None:
    with server.app.app_context(), transaction() as session:
        administration.set_active(session, people.find_person(session, email), by, is_active=False)


def test_the_last_one_stays(server: RunningServer, ada: User) -> None:
    with pytest.raises(Conflict, match="only administrator who can sign in"):
        end(server, ADA, None)
    assert able(server) == 1


def test_one_who_cannot_sign_in_does_not_count(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        people.create_person(session, BEA, administrator=True)
    end(server, BEA, ada)
    with pytest.raises(Conflict):
        end(server, ADA, None)


def test_two_cannot_end_each_other_at_the_same_moment(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        bea = people.create_person(session, BEA, administrator=True)
    together = Barrier(2)

    def try_it(whom: str, by: User) -> None:
        together.wait()
        try:
            end(server, whom, by)
        except (Conflict, *UNAVAILABLE):
            return

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(try_it, (BEA, ADA), (ada, bea)))
    assert able(server) >= 1


def test_a_person_who_is_appointed_brings_no_old_key(server: RunningServer, ada: User) -> None:
    with server.app.app_context(), transaction() as session:
        chi = people.create_person(session, CHI)
        chi.password, chi.tf_primary_method, before = "a hash", "authenticator", chi.fs_uniquifier
    with server.app.app_context(), transaction() as session:
        appointed = administration.grant_admin(session, CHI)
    assert appointed.is_administrator
    assert (appointed.password, appointed.has_two_factor) == (None, False)
    assert appointed.fs_uniquifier != before
