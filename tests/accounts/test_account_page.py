"""The account page of a user."""

from glific_gpt.accounts import people
from glific_gpt.database import transaction
from tests.accounts.authenticator import Authenticator
from tests.accounts.test_sign_in import ACCOUNT
from tests.console.users import ConsoleUser


def locale_of(person: ConsoleUser) -> str | None:
    with person.server.app.app_context(), transaction() as session:
        return people.find_person(session, person.email).locale


def test_it_shows_how_the_user_signs_in(asha: ConsoleUser, authenticator: Authenticator) -> None:
    asha.sign_in()
    before = asha.get(ACCOUNT).text
    assert asha.email in before
    assert "recovery codes left" not in before
    authenticator.set_up(asha)
    assert "You have 10 recovery codes left." in asha.get(ACCOUNT).text


def test_it_stores_the_language_of_the_user(asha: ConsoleUser) -> None:
    asha.sign_in()
    assert asha.post("/console/account/language", {"language": "hi"}, page=ACCOUNT).status_code == 302
    assert locale_of(asha) == "hi"
    assert '<html lang="hi"' in asha.get(ACCOUNT).text
    asha.post("/console/account/language", {"language": "xx"}, page=ACCOUNT)
    assert locale_of(asha) is None
