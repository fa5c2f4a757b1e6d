"""Takes pictures: those in the documents, or every page of the console in every light, to look at.

python -m tests.console.pictures                  the pictures in docs/pictures
python -m tests.console.pictures --all FOLDER     every page, at 1280 and 390 pixels, light and dark
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
from playwright.sync_api import Browser
from pydantic import SecretStr

from glific_gpt.accounts.tables import Role
from glific_gpt.flows.building import FlowSpec, Mode, build_flow
from glific_gpt.flows.endpoint import WebhookEndpoint
from tests.console.addresses import openable
from tests.console.people import Person, employ
from tests.console.sample import seva_trust
from tests.support import databases
from tests.support.chromium import Theme, chromium, window
from tests.support.flow_editor import opened
from tests.support.house import House, open_house
from tests.support.openai_stand_in import OpenAIStandIn
from tests.support.settings import made_up_settings

DOCUMENTS = Path(__file__).parents[2] / "docs" / "pictures"
PUBLIC_URL = "https://gpt.example.org"
HERE = "/console/organizations/seva-trust"
IN_DOCUMENTS: dict[str, tuple[str, int, Theme]] = {
    "overview": (f"{HERE}/", 1280, "light"),
    "openai": (f"{HERE}/openai", 1280, "light"),
    "models": (f"{HERE}/models", 1280, "light"),
    "use-in-glific": (f"{HERE}/use-in-glific", 1280, "light"),
    "calls": (f"{HERE}/calls", 1280, "dark"),
    "overview-phone": (f"{HERE}/", 390, "dark"),
}
LIGHTS: tuple[tuple[int, Theme], ...] = ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"))


@contextmanager
def running() -> Iterator[House]:
    """A server with an organization in the middle of its work."""
    with TemporaryDirectory() as folder, OpenAIStandIn() as openai:
        url = f"sqlite:///{folder}/pictures.db"
        databases.migrate(url)
        with open_house(
            made_up_settings(database_url=url, openai_base_url=openai.base_url, public_url=PUBLIC_URL)
        ) as house:
            seva_trust(house)
            yield house


class Picture(NamedTuple):
    """One picture of one page."""

    file: Path
    path: str
    width: int
    theme: Theme
    whole: bool


def take(browser: Browser, person: Person, wanted: Picture, language: str) -> None:
    wanted.file.parent.mkdir(parents=True, exist_ok=True)
    with window(browser, person.house.url, width=wanted.width, theme=wanted.theme, language=language) as shown:
        shown.bring(person.client.cookies.jar)
        shown.open(wanted.path)
        shown.page.wait_for_load_state("networkidle")
        shown.page.screenshot(path=wanted.file, full_page=wanted.whole)


def of_the_documents() -> Iterator[Picture]:
    for name, (path, width, theme) in IN_DOCUMENTS.items():
        yield Picture(DOCUMENTS / f"{name}.png", path, width, theme, whole=False)


def of_every_page(house: House, person: Person, folder: Path) -> Iterator[Picture]:
    for page in openable(house.app, person.get(f"{HERE}/calls").text):
        for width, theme in LIGHTS:
            yield Picture(folder / f"{page.endpoint}-{width}-{theme}.png", page.path, width, theme, whole=True)


def draw_a_flow(browser: Browser) -> None:
    """A flow of ours as Glific's own editor draws it."""
    way_in = WebhookEndpoint("https://gpt.example.org/webhooks/seva-trust/parse_via_chat_gpt", SecretStr("made up"))
    flow = build_flow(FlowSpec(Mode.SYNC, "Ask Seva Trust", "ask", way_in, "gpt-4o-mini"))
    context = browser.new_context()
    with opened(context.new_page(), flow["flows"][0]["definition"]) as editor:
        editor.screenshot(DOCUMENTS / "flow.png")
    context.close()


@click.command()
@click.option("--all", "everything", type=click.Path(path_type=Path), help="A folder for pictures of every page.")
@click.option("--only", default="", help="Only pages whose name holds this.")
@click.option("--language", default="en-GB", help="The browser's, such as hi-IN.")
def main(everything: Path | None, only: str, language: str) -> None:
    """Takes pictures of the console as it runs, and of a flow."""
    with running() as house, chromium() as browser:
        # In the documents as an owner sees it; all pages are an administrator's alone.
        person = employ(house, "asha@seva-trust.example.org", None if everything else Role.OWNER, "seva-trust")
        person.sign_in()
        pictures = of_every_page(house, person, everything) if everything else of_the_documents()
        with click.progressbar([each for each in pictures if only in each.file.name], label="Taking pictures") as bar:
            for each in bar:
                take(browser, person, each, language)
        if not everything and only in "flow":
            draw_a_flow(browser)


if __name__ == "__main__":
    main()
