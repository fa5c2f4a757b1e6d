"""One version, which commands, pages and logs show."""

import re

from glific_gpt import __version__
from tests.support.programs import ROOT

HEADINGS = re.findall(r"(?m)^## (.+)$", (ROOT / "CHANGELOG.md").read_text())


def test_the_version_is_the_newest_release_of_the_changelog() -> None:
    unreleased, newest, *_ = HEADINGS
    assert unreleased == "Unreleased"
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", newest)
