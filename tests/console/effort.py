"""The effort of a person in a journey: clicks and filled fields. Each page of the journey is checked."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.support.chromium import Window

HEIGHT = 900
WIDTHS = (1280, 390)
"""A laptop and a phone, in pixels."""


@dataclass
class Effort:
    """The clicks and the filled fields of a person in a browser window."""

    shown: Window
    clicks: int = 0
    fields: int = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def fill(self, target: Locator, text: str) -> None:
        target.fill(text)
        self.fields += 1

    def choose_option(self, target: Locator, option: str) -> None:
        target.select_option(option)
        self.fields += 1

    def choose_file(self, target: Locator, path: Path) -> None:
        target.set_input_files(path)
        self.fields += 1

    def download(self, button: Locator, folder: Path) -> Path:
        """Click a button that begins a download, and return the file."""
        with self.shown.page.expect_download() as download:
            self.click(button)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def check_page(self, heading: str) -> None:
        """Expect the page with this heading, accessible and no wider than the window, on a laptop and on a phone."""
        page = self.shown.page
        expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        own_size = page.viewport_size
        assert own_size is not None
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            self.shown.wait_until_drawn()
            found = (self.shown.accessibility_violations(), self.shown.overflow())
            assert found == ([], 0), f"{heading}, {width} pixels wide"
        page.set_viewport_size(own_size)
        assert (self.shown.violations, self.shown.foreign) == ([], set())
