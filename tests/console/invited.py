"""People who come by a one-time link: found on the page that shows it, opened in a browser of their own."""

import html
import re

import httpx2

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction
from tests.console.people import Person, browser
from tests.support.house import House

LINK = re.compile(r'id="one-time-link"[^>]*>(?:[^<]*?)https?://[^/]+(/console/account/reset/[^<\s]+)<')
CHOSEN = "a password of my own choice"


def link_on(answer: httpx2.Response) -> str:
    """The path of the one-time link on a page."""
    found = LINK.search(answer.text)
    assert found, answer.text[:3000]
    return html.unescape(found[1])


def arrive(house: House, email: str, link: str) -> Person:
    """Opens the link and chooses a password; signed in with it afterwards."""
    person = Person(house, email, browser())
    assert choose(person, link).status_code == 302
    assert person.sign_in(CHOSEN).status_code == 302
    return person


def choose(person: Person, link: str) -> httpx2.Response:
    return person.post(link, {"password": CHOSEN, "password_confirm": CHOSEN}, page=link)


def opens(house: House, link: str) -> bool:
    """Whether a link leads to the choice of a password."""
    with browser() as client:
        answer = client.get(house.url + link)
    return answer.status_code == 200 and 'name="password_confirm"' in answer.text


def known(house: House, email: str) -> User:
    """The row of a person."""
    with house.app.app_context(), transaction() as session:
        return people.find(session, email)
