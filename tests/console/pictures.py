"""Screenshots of the console, for the documentation or of every page for review.

python -m tests.console.pictures                  write docs/pictures
python -m tests.console.pictures --all FOLDER     every page, 1280 and 390 pixels wide, light and dark
"""

from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.console.addresses import list_pages
from tests.console.sample_data import create_sample_organization
from tests.console.users import ConsoleUser, create_user
from tests.support import databases
from tests.support.chromium import Theme, chromium, open_browser_window
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
    width: int
    theme: Theme
    full_page: bool


def take_picture(browser: Browser, person: ConsoleUser, picture: Picture, language: str) -> None:
    picture.file.parent.mkdir(parents=True, exist_ok=True)
    with open_browser_window(
        browser, person.server.url, width=picture.width, theme=picture.theme, language=language
    ) as shown:
        shown.add_cookies(person.client.cookies.jar)
        shown.open(picture.path)
        shown.page.wait_for_load_state("networkidle")
        shown.page.screenshot(path=picture.file, full_page=picture.full_page)


def list_document_pictures() -> Iterator[Picture]:
    for name, (path, width, theme) in DOCUMENT_PICTURES.items():
        yield Picture(DOCUMENTS / f"{name}.png", path, width, theme, full_page=False)


def list_page_pictures(server: RunningServer, person: ConsoleUser, folder: Path) -> Iterator[Picture]:
    for page in list_pages(server.app, person.get(f"{ORGANIZATION_PATH}/calls").text):
        for width, theme in VARIANTS:
            yield Picture(folder / f"{page.endpoint}-{width}-{theme}.png", page.path, width, theme, full_page=True)


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
@click.option("--only", default="", help="Take only pages whose name contains this.")
@click.option("--language", default="en-GB", help="Language of the browser, such as hi-IN.")
def main(everything: Path | None, only: str, language: str) -> None:
    """Take screenshots of the console and of a ready flow."""
    with run_sample_server() as server, chromium() as browser:
        # The documentation shows the pages of an owner. Only an administrator can open all pages.
        person = create_user(server, "asha@seva-trust.example.org", None if everything else Role.OWNER, "seva-trust")
        assert person.sign_in().status_code == 302
        pictures = list_page_pictures(server, person, everything) if everything else list_document_pictures()
        with click.progressbar([each for each in pictures if only in each.file.name], label="Taking pictures") as bar:
            for each in bar:
                take_picture(browser, person, each, language)
        if not everything and only in "flow":
            draw_flow(browser)


if __name__ == "__main__":
    main()
