"""The account page of a user."""

from glific_gpt.accounts import people
from glific_gpt.accounts.locales import find_locale
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


def test_the_user_chooses_how_english_dates_and_numbers_are_written(asha: ConsoleUser) -> None:
    asha.sign_in()
    page = asha.get(ACCOUNT).text
    assert '<html lang="en-IN"' in page
    for sample in (
        "English (India): 28 Nov 2026; 17,43,945",
        "English (United Kingdom): 28 Nov 2026; 1,743,945",
        "English (United States): Nov 28, 2026; 1,743,945",
        "हिन्दी: 28 नव॰ 2026; 17,43,945",
    ):
        assert f">{sample}</option>" in page
    asha.post("/console/account/language", {"language": "en_GB"}, page=ACCOUNT)
    assert '<html lang="en-GB"' in asha.get(ACCOUNT).text
    assert '<option value="en_GB" lang="en-GB" selected>' in asha.get(ACCOUNT).text


def test_a_language_that_is_chosen_in_the_browser_keeps_the_country_of_the_user(asha: ConsoleUser) -> None:
    asha.sign_in()
    asha.post("/console/account/language", {"language": "en_GB"}, page=ACCOUNT)
    for chosen, tag in (("hi", "hi"), ("en", "en-GB")):
        asha.post("/console/language", {"language": chosen}, page=ACCOUNT)
        assert f'<html lang="{tag}"' in asha.get(ACCOUNT).text


def test_english_without_a_country_is_indian(asha: ConsoleUser) -> None:
    asha.sign_in()
    with asha.server.app.app_context(), transaction() as session:
        people.find_person(session, asha.email).locale = "en"  # of an earlier release
    assert '<option value="en_IN" lang="en-IN" selected>' in asha.get(ACCOUNT).text
    assert '<html lang="en-IN"' in asha.get(ACCOUNT, headers={"Accept-Language": "hi"}).text
    assert [find_locale(saved) for saved in ("en", None, "en_GB", "hi")] == ["en_IN", "en_IN", "en_GB", "hi"]
