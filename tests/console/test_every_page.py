"""Every page in a browser: accessibility, content security policy, phone width and dark theme."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.console.addresses import list_pages
from tests.console.sample_data import create_sample_organization
from tests.console.users import ConsoleUser, create_user
from tests.support.chromium import AXE, Theme, Window, open_browser_window
from tests.support.server import RunningServer

SIGNED_OUT = ("/console/account/sign-in", "/console/account/forgotten", "/console/account/reset/nonsense")
SHOWN = [(1280, "light", "en-GB"), (390, "dark", "en-GB"), (390, "light", "hi-IN")]

USES_MISSING_HTMX = "!!document.querySelector('[hx-get], [hx-post]') && typeof htmx === 'undefined'"

TEXTS_THAT_CANNOT_BE_READ = """() => {
  const pen = document.createElement("canvas").getContext("2d");
  const shown = (element) => element.offsetWidth > 0;
  const isCut = (field, text) => {
    const style = getComputedStyle(field);
    pen.font = style.font;
    const width = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(text).width > width + 1;
  };
  const cut = [...document.querySelectorAll("select, input[placeholder]")].filter(shown).flatMap((field) =>
    [field.selectedOptions?.[0]?.text ?? field.placeholder].filter((text) => isCut(field, text))
      .map((text) => `cut: ${text}`));
  const addresses = [...document.querySelectorAll("body *")].filter((element) => shown(element)
    && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.includes("@"))
    && getComputedStyle(element).textTransform === "uppercase");
  return [...cut, ...addresses.map((element) => `in capitals: ${element.textContent.trim()}`)];
}"""


@pytest.fixture(scope="module")
def busy_server(shared_server: RunningServer) -> RunningServer:
    """A server with a sample organization."""
    create_sample_organization(shared_server)
    return shared_server


@pytest.fixture(scope="module")
def administrator(busy_server: RunningServer) -> Iterator[ConsoleUser]:
    person = create_user(busy_server, "admin@example.org")
    assert person.sign_in().status_code == 302
    yield person
    person.client.close()


def paths(server: RunningServer, administrator: ConsoleUser) -> list[str]:
    """Return the pages that a signed-in administrator can open."""
    calls = administrator.get("/console/organizations/seva-trust/calls").text
    return [page.path for page in list_pages(server.app, calls)]


def look(shown: Window, path: str, seen: set[tuple[str, str]]) -> list[str]:
    """Return the problems of a page.

    Many addresses lead a signed-in person to another page. `seen` has the address and the text of those that the
    window has shown, whose elements are not examined again.
    """
    shown.open(path)
    shown.wait_until_drawn()
    page = (shown.path(), shown.page.inner_text("body"))
    trouble = [] if page in seen else examine(shown)
    seen.add(page)
    trouble += [f"policy: {what}" for what in shown.violations if "404" not in what]
    trouble += [f"foreign: {where}" for where in shown.foreign]
    shown.violations.clear()
    return [f"{path} at {shown.page.viewport_size}: {what}" for what in trouble]


def examine(shown: Window) -> list[str]:
    """Return the problems of the elements on the page."""
    trouble = [f"axe: {what}" for what in shown.accessibility_violations()]
    if shown.overflow() > 0:
        trouble.append(f"wider than the window by {shown.overflow()} pixels")
    if shown.page.evaluate(USES_MISSING_HTMX):
        trouble.append("uses htmx, which it does not load")
    trouble += shown.page.evaluate(TEXTS_THAT_CANNOT_BE_READ)
    return trouble


@pytest.mark.timeout(300)  # each opens more than thirty pages, and axe takes a second or more for each
@pytest.mark.parametrize(("width", "theme", "language"), SHOWN)
def test_every_page_is_accessible_and_fits_the_window(
    busy_server: RunningServer, administrator: ConsoleUser, browser: Browser, width: int, theme: Theme, language: str
) -> None:
    trouble: list[str] = []
    seen: set[tuple[str, str]] = set()
    with open_browser_window(browser, busy_server.url, width=width, theme=theme, language=language) as shown:
        shown.page.add_init_script(path=AXE)  # which takes less than to send it for each page
        shown.add_cookies(administrator.client.cookies.jar)
        for path in paths(busy_server, administrator):
            trouble += look(shown, path, seen)
    with open_browser_window(browser, busy_server.url, width=width, theme=theme, language=language) as shown:
        for path in SIGNED_OUT:
            trouble += look(shown, path, set())
    assert not trouble, "\n".join(trouble)


def test_the_set_up_page_is_accessible_and_fits_the_window(server: RunningServer, browser: Browser) -> None:
    with open_browser_window(browser, server.url, width=390, theme="light", language="hi-IN") as shown:
        assert look(shown, "/console/set-up?token=nonsense", set()) == []
