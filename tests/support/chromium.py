"""A headless Chromium, controlled by Playwright, that records errors on the server's pages."""

import asyncio
import shutil
from asyncio.events import _set_running_loop
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.support.platforms import skip_or_fail

NAMES = ("chromium", "chromium-browser", "google-chrome")
HEADLESS = "chromium-headless-shell"
"""Chromium without windows. Opening a page takes less than half of the CPU time."""
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
LANDMARKS = "landmark-unique"
"""Rule against two landmarks with one name. axe calls it moderate, but a list of landmarks is useless then."""
RUN_AXE = """([serious, landmarks]) => {
  const isLeftOut = (rule) => rule.impact && !serious.includes(rule.impact) && rule.id !== landmarks;
  const leftOut = axe._audit.rules.filter(isLeftOut).map((rule) => [rule.id, { enabled: false }]);
  return axe.run({ resultTypes: ["violations"], rules: Object.fromEntries(leftOut) });
}"""
"""Run the rules whose violations are serious. axe describes no elements that passed, which takes long."""
ARGUMENTS = ("--no-sandbox", "--js-flags=--no-opt --no-maglev")
"""Arguments of Chromium. Each page runs its scripts once or twice: to optimize them takes longer than it saves."""
EXPECT_MILLISECONDS = 20_000
"""Time for a page to reach an expected state on a busy machine."""
NEXT_FRAMES = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"

Theme = Literal["light", "dark"]


def require_chromium(names: Sequence[str] = NAMES) -> str:
    """Return the path of Chromium. Skip the test if there is none, or fail in CI, which has one."""
    for name in names:
        if (found := shutil.which(name)) is not None:
            return found
    return skip_or_fail("Chromium is not installed on this machine")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one process for many tests. Each test uses its own context, which works like a separate browser."""
    expect.set_options(timeout=EXPECT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium((HEADLESS, *NAMES)), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class SessionBrowser:
    """A browser for tests between which other tests run event loops of their own."""

    browser: Browser
    loop: asyncio.AbstractEventLoop

    @contextmanager
    def controlled(self) -> Iterator[Browser]:
        """Mark Playwright's event loop as running, as it is while Playwright is in use.

        Outside it is hidden, because asyncio refuses to start a second loop in a thread.
        """
        _set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            _set_running_loop(None)


@contextmanager
def session_browser() -> Iterator[SessionBrowser]:
    with chromium() as browser:
        shared = SessionBrowser(browser, asyncio.get_running_loop())
        _set_running_loop(None)
        try:
            yield shared
        finally:
            _set_running_loop(shared.loop)  # to close the browser


@dataclass
class Window:
    """A browser window on the server, with the errors that occurred in it."""

    page: Page
    url: str
    violations: list[str] = field(default_factory=list)
    """Violations of the content security policy, and script errors."""
    foreign: set[str] = field(default_factory=set)
    """Requested URLs on other hosts."""
    pending: set[Request] = field(default_factory=set)
    """Requests without a response yet."""

    def open(self, path: str) -> int:
        """Open a page of the server and return its status."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        return answer.status

    def add_cookies(self, cookies: CookieJar) -> None:
        """Add cookies, so that their user is signed in."""
        values = [{"name": cookie.name, "value": cookie.value or "", "url": self.url} for cookie in cookies]
        self.page.context.add_cookies(values)  # type: ignore[arg-type]

    def add_pending(self, request: Request) -> None:
        self.pending.add(request)

    def remove_pending(self, request: Request) -> None:
        self.pending.discard(request)

    def wait_until_drawn(self) -> None:
        """Wait until the opened page has no pending request and is drawn."""
        self.page.evaluate(NEXT_FRAMES)
        while self.pending:
            self.page.evaluate(NEXT_FRAMES)

    def path(self) -> str:
        return self.page.url.removeprefix(self.url)

    def accessibility_violations(self) -> list[str]:
        """Return the serious violations that axe finds on the page, as 'rule: element'."""
        if not self.page.evaluate("'axe' in window"):  # to load it takes a third of the time
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate(RUN_AXE, [SERIOUS, LANDMARKS])
        return [
            f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            if violation["impact"] in SERIOUS or violation["id"] == LANDMARKS
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """Return the number of pixels by which the page is wider than the window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width


@contextmanager
def open_browser_window(
    browser: Browser, url: str, *, width: int = 1280, theme: Theme = "light", language: str = "en-GB"
) -> Iterator[Window]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale=language,
        timezone_id="Asia/Kolkata",
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    try:
        yield _open_page(context, url)
    finally:
        context.close()


def _open_page(context: BrowserContext, url: str) -> Window:
    page = context.new_page()
    opened = Window(page, url)
    page.on("console", lambda message: opened.violations.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: opened.violations.append(str(error)))
    page.on("request", lambda request: None if _is_own_address(request.url, url) else opened.foreign.add(request.url))
    page.on("request", opened.add_pending)
    page.on("requestfinished", opened.remove_pending)
    page.on("requestfailed", opened.remove_pending)
    return opened


def _is_own_address(requested: str, url: str) -> bool:
    return requested.startswith((url + "/", "data:", "blob:"))
