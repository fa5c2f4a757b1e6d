"""People before the console: signed in over HTTP, with their cookies, as a browser would be."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
from flask_security import hash_password

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support.house import PATIENCE, TLS, House

PASSWORD = "correct horse battery staple"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class Person:
    """Somebody with a browser."""

    house: House
    email: str
    client: httpx2.Client = field(repr=False)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """Without following a redirect."""
        return self.client.get(self.house.url + path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, *, page: str | None = None) -> httpx2.Response:
        """What a form sends, with the CSRF token of the page that it is on."""
        return self.client.post(self.house.url + path, data={"csrf_token": self.token(page)} | (data or {}))

    def upload(
        self, path: str, field: str, content: bytes, *, name: str = "flow.json", part: bool = False, **data: str
    ) -> httpx2.Response:
        """What a form with a file sends; as htmx does it for a `part` of the page."""
        known = {"csrf_token": self.token()} | data
        headers = {"HX-Request": "true"} if part else {}
        return self.client.post(self.house.url + path, data=known, files={field: (name, content)}, headers=headers)

    def token(self, page: str | None = None) -> str:
        """The CSRF token of a page; by default of the sign-in page, or where that leads."""
        answer = self.client.get(self.house.url + (page or "/console/account/sign-in"), follow_redirects=True)
        found = TOKEN.search(answer.text)
        assert found, answer.text[:2000]
        return found[1]

    def sign_in(self, password: str = PASSWORD) -> httpx2.Response:
        return self.post("/console/account/sign-in", {"email": self.email, "password": password})


def browser() -> httpx2.Client:
    return httpx2.Client(timeout=PATIENCE, verify=TLS)


def stranger(house: House) -> Person:
    """Nobody has signed in."""
    return Person(house, "", browser())


def employ(house: House, email: str, role: Role | None = None, slug: str | None = None) -> Person:
    """A new person with a password, in that organization; without one an administrator. Not signed in yet."""
    with house.app.app_context():
        hashed = hash_password(PASSWORD)
        with transaction() as session:
            if role and slug:
                user, _ = people.add(session, store.find(session, slug).id, email, role)
            else:
                user = people.create(session, email, administrator=True)
            user.password = hashed
    return Person(house, email, browser())
