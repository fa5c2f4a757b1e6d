"""One-time links: find them in a page and use them in a new client."""

import html
import re

import httpx2

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import User
from glific_gpt.database import transaction
from tests.console.users import ConsoleUser, create_client
from tests.support.server import RunningServer

LINK_PATTERN = re.compile(r'id="one-time-link"[^>]*>(?:[^<]*?)https?://[^/]+(/console/account/reset/[^<\s]+)<')
CHOSEN_PASSWORD = "a password of my own choice"


def find_link(answer: httpx2.Response) -> str:
    """Return the path of the one-time link in a page."""
    found = LINK_PATTERN.search(answer.text)
    assert found, answer.text[:3000]
    return html.unescape(found[1])


def accept_invitation(server: RunningServer, email: str, link: str) -> ConsoleUser:
    """Open the link in a new client and choose a password. The person is signed in then."""
    person = ConsoleUser(server, email, create_client())
    assert choose_password(person, link).status_code == 302
    return person


def choose_password(person: ConsoleUser, link: str) -> httpx2.Response:
    return person.post(link, {"password": CHOSEN_PASSWORD, "password_confirm": CHOSEN_PASSWORD}, page=link)


def link_works(server: RunningServer, link: str) -> bool:
    """Return whether a link leads to the form for a new password."""
    with create_client() as client:
        answer = client.get(server.url + link)
    return answer.status_code == 200 and 'name="password_confirm"' in answer.text


def find_user(server: RunningServer, email: str) -> User:
    """Return the row of a user."""
    with server.app.app_context(), transaction() as session:
        return people.find_person(session, email)
