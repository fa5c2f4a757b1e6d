"""Screenshots of the console, for the documentation or of every page for review.

python -m tests.console.pictures                  write docs/pictures
python -m tests.console.pictures --all FOLDER     every page in its states, 1280 and 390 pixels wide, light and dark, in
                                                  English and Hindi
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from playwright.sync_api import Browser
from pydantic import SecretStr

from glific_gpt.accounts.sign_in.known_browsers import COOKIE_NAME as KNOWN_BROWSER_COOKIE
from glific_gpt.accounts.tables import Role
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from tests.console.sample_data import create_sample_organization
from tests.console.scenes import list_scenes
from tests.console.users import ConsoleUser, create_user
from tests.support import databases
from tests.support.chromium import NEXT_FRAMES, Theme, Window, chromium, open_browser_window
from tests.support.flow_editor import open_editor
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.server import RunningServer, run_server
from tests.support.settings import create_settings

DOCUMENTS = Path(__file__).parents[2] / "docs" / "pictures"
PUBLIC_URL = "https://gpt.example.org"
ORGANIZATION_PATH = "/console/organizations/seva-trust"
DOCUMENT_PICTURES: dict[str, tuple[str, int, Theme]] = {
    "overview": (f"{ORGANIZATION_PATH}/", 1280, "light"),
    "openai": (f"{ORGANIZATION_PATH}/openai", 1280, "light"),
    "models": (f"{ORGANIZATION_PATH}/models", 1280, "light"),
    "use-in-glific": (f"{ORGANIZATION_PATH}/use-in-glific", 1280, "light"),
    "calls": (f"{ORGANIZATION_PATH}/calls", 1280, "dark"),
    "overview-phone": (f"{ORGANIZATION_PATH}/", 390, "dark"),
}
VARIANTS: tuple[tuple[int, Theme], ...] = ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))
LANGUAGES = ("en-GB", "hi-IN")


@contextmanager
def run_sample_server() -> Iterator[RunningServer]:
    """Run a server with a sample organization."""
    with TemporaryDirectory() as folder, OpenAIStandIn() as openai:
        url = f"sqlite:///{folder}/pictures.db"
        databases.migrate(url)
        with run_server(
            create_settings(database_url=url, openai_base_url=openai.base_url, public_url=PUBLIC_URL)
        ) as server:
            # The public URL has https, so cookies would be secure, but this server is reached over http.
            server.app.config.update({"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_NAME": "session"})
            server.app.config[KNOWN_BROWSER_COOKIE] = "known"
            create_sample_organization(server)
            yield server


class Picture(NamedTuple):
    """One screenshot of one page."""

    file: Path
    path: str
    person: ConsoleUser
    width: int
    theme: Theme
    language: str = "en-GB"
    full_page: bool = False

    @property
    def browser(self) -> tuple[object, ...]:
        """The properties of the browser window, which pictures with the same ones share."""
        return self.person.email, self.width, self.theme, self.language


def take_pictures(browser: Browser, pictures: Iterable[Picture]) -> None:
    """Take the pictures, with one window for pictures that follow each other and have the same person and variant."""
    for _, group in groupby(pictures, key=lambda picture: picture.browser):
        first, *others = group
        with open_browser_window(
            browser, first.person.server.url, width=first.width, theme=first.theme, language=first.language
        ) as shown:
            shown.add_cookies(first.person.client.cookies.jar)
            for picture in (first, *others):
                _take(shown, picture)


def _take(shown: Window, picture: Picture) -> None:
    picture.file.parent.mkdir(parents=True, exist_ok=True)
    shown.open(picture.path)
    shown.wait_until_drawn()
    shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")  # draws also the charts below the window
    shown.page.evaluate(NEXT_FRAMES)
    shown.page.screenshot(path=picture.file, full_page=picture.full_page)


def list_document_pictures(server: RunningServer) -> Iterator[Picture]:
    """Yield the pictures of the documentation, which show the pages of an owner."""
    person = create_user(server, "asha@seva-trust.example.org", Role.OWNER, "seva-trust")
    assert person.sign_in().status_code == 302
    for name, (path, width, theme) in DOCUMENT_PICTURES.items():
        yield Picture(DOCUMENTS / f"{name}.png", path, person, width, theme)


def list_page_pictures(server: RunningServer, folder: Path) -> Iterator[Picture]:
    """Yield the pictures of all pages, those of one window after the other."""
    scenes = list(list_scenes(server))
    for language in LANGUAGES:
        for width, theme in VARIANTS:
            variant = folder / f"{language}-{width}-{theme}"
            for scene in scenes:
                file = variant / f"{scene.name}.png"
                yield Picture(file, scene.path, scene.person, width, theme, language, full_page=True)


def draw_flow(browser: Browser) -> None:
    """Draw a ready flow in Glific's own editor."""
    way_in = WebhookEndpoint("https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt", SecretStr("made up"))
    flow = build_flow(FlowSpec(Mode.SYNC, "Ask Seva Trust", "ask", way_in, "gpt-4o-mini"))
    context = browser.new_context()
    with open_editor(context.new_page(), flow["flows"][0]["definition"]) as editor:
        editor.screenshot(DOCUMENTS / "flow.png")
    context.close()


@click.command()
@click.option("--all", "everything", type=click.Path(path_type=Path), help="Folder for screenshots of every page.")
@click.option("--only", default="", help="Take only pictures whose folder and name contain this.")
def main(everything: Path | None, only: str) -> None:
    """Take screenshots of the console and of a ready flow."""
    with run_sample_server() as server, chromium() as browser:
        pictures = list_page_pictures(server, everything) if everything else list_document_pictures(server)
        chosen = [each for each in pictures if only in f"{each.file.parent.name}/{each.file.name}"]
        with click.progressbar(chosen, label="Taking pictures") as bar:
            take_pictures(browser, bar)
        if not everything and only in "flow":
            draw_flow(browser)


if __name__ == "__main__":
    main()
