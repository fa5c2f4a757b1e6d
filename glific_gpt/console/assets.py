"""The files of other people that pages are made of: copied from node_modules to where the server serves them."""

import re
import shutil
import sys
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

ROOT = Path(__file__).parents[2]
VENDOR = Path(__file__).parent / "static" / "vendor"

FILES = (
    "@tabler/core/dist/css/tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js",
    "chart.js/dist/chart.umd.min.js",
    "htmx.org/dist/htmx.min.js",
)
SOURCE_MAP = re.compile(r"(?m)^(//|/\*)# sourceMappingURL=.*$")
ICON_FOLDER = "@tabler/icons/icons/outline"
ICONS = (
    "activity",
    "adjustments",
    "alert-triangle",
    "arrow-left",
    "arrow-right",
    "brand-openai",
    "brand-whatsapp",
    "building-community",
    "chart-bar",
    "check",
    "chevron-right",
    "circle-check",
    "circle-dashed",
    "circle-x",
    "clipboard-list",
    "clock",
    "copy",
    "download",
    "external-link",
    "eye",
    "file-import",
    "flask",
    "history",
    "home",
    "info-circle",
    "key",
    "language",
    "link",
    "lock",
    "logout",
    "message-circle",
    "messages",
    "moon",
    "phone-call",
    "player-play",
    "plug-connected",
    "plus",
    "power",
    "refresh",
    "robot",
    "search",
    "send",
    "server",
    "settings",
    "shield-lock",
    "stethoscope",
    "sun",
    "trash",
    "user",
    "user-plus",
    "users",
    "webhook",
    "x",
)


@lru_cache
def icon(name: str) -> Markup:
    """An icon as SVG, in the colour and size of the text beside it. It says nothing to a screen reader."""
    path = VENDOR / "icons" / f"{name}.svg"
    if not path.exists():
        raise LookupError(f"There is no icon {name}: name it in console/assets.py, and run make clean install.")
    picture = path.read_text(encoding="utf-8").replace("<svg", '<svg aria-hidden="true"', 1)
    return Markup(picture)  # noqa: S704 - a file that we brought ourselves


def bring(node_modules: Path = ROOT / "node_modules") -> None:
    """Copies what is listed. Raises FileNotFoundError where npm has not brought it."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    (VENDOR / "icons").mkdir(parents=True)
    for file in FILES:
        _copy(node_modules / file, VENDOR / Path(file).name)
    for name in ICONS:
        _copy(node_modules / ICON_FOLDER / f"{name}.svg", VENDOR / "icons" / f"{name}.svg")


def _copy(source: Path, target: Path) -> None:
    """Without the comment that names a source map, which we do not serve."""
    target.write_text(SOURCE_MAP.sub("", source.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> None:
    """For make install."""
    try:
        bring()
    except FileNotFoundError as missing:
        sys.exit(f"Error: {missing.filename} is not there: run make install.")
