"""A headless Chromium, driven by Playwright; and what it complains about while it shows our pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")

Theme = Literal["light", "dark"]


def require_chromium() -> str:
    """Where it is. Skips where there is none; CI has one, so there it fails."""
    for name in NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    missing = pytest.fail if os.environ.get("CI") else pytest.skip
    return missing("there is no Chromium on this machine")


@contextmanager
def chromium() -> Iterator[Browser]:
    """One process for many tests; each has a context of its own, as if it were a browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Window:
    """A browser window on our server, and everything in it that should not be."""

    page: Page
    url: str
    violations: list[str] = field(default_factory=list)
    """What the content security policy has stopped, and errors of scripts."""
    foreign: set[str] = field(default_factory=set)
    """Addresses on other hosts that were asked for."""

    def open(self, path: str) -> int:
        """Shows a page of ours; its status."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        return answer.status

    def add_cookies(self, cookies: CookieJar) -> None:
        """Whoever has these cookies stays signed in."""
        known = [{"name": cookie.name, "value": cookie.value or "", "url": self.url} for cookie in cookies]
        self.page.context.add_cookies(known)  # type: ignore[arg-type]

    def path(self) -> str:
        return self.page.url.removeprefix(self.url)

    def accessibility_violations(self) -> list[str]:
        """What axe finds on the page that keeps people out, as 'rule: where'."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in found["violations"]
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
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
    shown = Window(page, url)
    page.on("console", lambda message: shown.violations.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: shown.violations.append(str(error)))
    page.on("request", lambda asked: None if _is_own_address(asked.url, url) else shown.foreign.add(asked.url))
    return shown


def _is_own_address(asked: str, url: str) -> bool:
    return asked.startswith((url + "/", "data:", "blob:"))
