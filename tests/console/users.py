"""Users of the console: HTTP clients with cookies and CSRF tokens, like a browser."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
from flask_security import hash_password

from glific_gpt.accounts import people
from glific_gpt.accounts.tables import Role
from glific_gpt.database import transaction
from glific_gpt.organizations import store
from tests.support import http
from tests.support.server import TIMEOUT_SECONDS, RunningServer

PASSWORD = "correct horse battery staple"
CSRF_TOKEN_PATTERN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass
class ConsoleUser:
    """A user with an HTTP client."""

    server: RunningServer
    email: str
    client: httpx2.Client = field(repr=False)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """Send a GET request. Redirects are not followed."""
        return self.client.get(self.server.url + path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, *, page: str | None = None) -> httpx2.Response:
        """Send a form, with the CSRF token of the page that contains it."""
        return self.client.post(self.server.url + path, data={"csrf_token": self.token(page)} | (data or {}))

    def upload(
        self, path: str, field: str, content: bytes, *, name: str = "flow.json", part: bool = False, **data: str
    ) -> httpx2.Response:
        """Send a form with a file. `part` sends it as an htmx request."""
        known = {"csrf_token": self.token()} | data
        headers = {"HX-Request": "true"} if part else {}
        return self.client.post(self.server.url + path, data=known, files={field: (name, content)}, headers=headers)

    def token(self, page: str | None = None) -> str:
        """Return the CSRF token of a page, by default of the sign-in page or the page it redirects to."""
        answer = self.client.get(self.server.url + (page or "/console/account/sign-in"), follow_redirects=True)
        found = CSRF_TOKEN_PATTERN.search(answer.text)
        assert found, answer.text[:2000]
        return found[1]

    def sign_in(self, password: str = PASSWORD) -> httpx2.Response:
        return self.post("/console/account/sign-in", {"email": self.email, "password": password})


def remove_csrf_tokens(page: str) -> str:
    """Return the page without its CSRF tokens, which change every second."""
    return re.sub(r'name="csrf_token"[^>]*>', "", page)


def create_client() -> httpx2.Client:
    """Return a client that keeps no connection open, because not every test closes its client."""
    return http.Client(timeout=TIMEOUT_SECONDS, limits=httpx2.Limits(max_keepalive_connections=0))


def create_anonymous(server: RunningServer) -> ConsoleUser:
    """Return a client without a session."""
    return ConsoleUser(server, "", create_client())


def create_user(server: RunningServer, email: str, role: Role | None = None, slug: str | None = None) -> ConsoleUser:
    """Create a user with a password, not signed in: a member of an organization, or else an administrator."""
    with server.app.app_context():
        hashed = hash_password(PASSWORD)
        with transaction() as session:
            if role and slug:
                user, _ = people.add_member(session, store.find(session, slug).id, email, role)
            else:
                user = people.create_person(session, email, administrator=True)
            user.password = hashed
    return ConsoleUser(server, email, create_client())
