"""Every page of the console, in its states, as different people see it."""

from collections.abc import Iterator
from dataclasses import dataclass

from glific_gpt.accounts.tables import Role
from tests.console.addresses import list_addresses, list_pages
from tests.console.users import ConsoleUser, create_anonymous, create_user
from tests.support.server import RunningServer

SAMPLE_PATH = "/console/organizations/seva-trust"
EMPTY_SLUG = "nav-jyoti"
SIGN_IN_PAGES = {
    "sign-in": "/console/account/sign-in",
    "forgotten": "/console/account/forgotten",
    "wrong-link": "/console/account/reset/nonsense",
    "not-found": "/console/nonsense",
}
STATES = {
    "calls-no-match": f"{SAMPLE_PATH}/calls?first_day=2020-01-01&last_day=2020-01-02",
    "calls-failed": f"{SAMPLE_PATH}/calls?status=error",
    "overview-90-days": f"{SAMPLE_PATH}/?days=90",
}
VIEWER_PAGES = ("", "openai", "models", "settings", "members", "use-in-glific", "try-it", "glific", "documents", "data")


@dataclass(frozen=True)
class Scene:
    """A page of one person."""

    name: str
    path: str
    person: ConsoleUser


def list_scenes(server: RunningServer) -> Iterator[Scene]:
    """Create the people and an empty organization, and yield all scenes, those of one person after the other."""
    administrator = _sign_in(create_user(server, "asha@seva-trust.example.org"))
    for page in list_pages(server.app, administrator.get(f"{SAMPLE_PATH}/calls").text):
        yield Scene(page.endpoint.removeprefix("console."), page.path, administrator)
    for name, path in STATES.items():
        yield Scene(name, path, administrator)
    server.add_organization(EMPTY_SLUG, key="")
    of_empty = list_addresses(server.app, slug=EMPTY_SLUG, call_id="none", token_id=0, user_id=1, token="nonsense")
    for page in of_empty:
        if page.method == "GET" and f"/{EMPTY_SLUG}" in page.path and "export" not in page.endpoint:
            yield Scene(f"empty.{page.endpoint.removeprefix('console.')}", page.path, administrator)
    viewer = _sign_in(create_user(server, "veena@seva-trust.example.org", Role.VIEWER, "seva-trust"))
    for page_name in VIEWER_PAGES:
        yield Scene(f"viewer.{page_name or 'overview'}", f"{SAMPLE_PATH}/{page_name}", viewer)
    anonymous = create_anonymous(server)
    for name, path in SIGN_IN_PAGES.items():
        yield Scene(name, path, anonymous)


def _sign_in(person: ConsoleUser) -> ConsoleUser:
    assert person.sign_in().status_code == 302
    return person
