"""Third-party files of the console, copied from node_modules to the static folder."""

import re
import shutil
import sys
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

ROOT = Path(__file__).parents[2]
VENDOR_FOLDER = Path(__file__).parent / "static" / "vendor"

VENDOR_FILES = (
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
    """Return an icon as inline SVG, in the colour and size of the text beside it, hidden from screen readers."""
    path = VENDOR_FOLDER / "icons" / f"{name}.svg"
    if not path.exists():
        raise LookupError(
            f"The icon {name} is missing. Add it to ICONS in console/assets.py and run make clean install."
        )
    svg = path.read_text(encoding="utf-8").replace("<svg", '<svg aria-hidden="true"', 1)
    return Markup(svg)  # noqa: S704 - the file comes from our own dependencies


def copy_assets(node_modules: Path = ROOT / "node_modules") -> None:
    """Copy the listed files. Raises FileNotFoundError if npm has not installed one."""
    # Emptied first, so that a file that is no longer listed is not served any more.
    shutil.rmtree(VENDOR_FOLDER, ignore_errors=True)
    (VENDOR_FOLDER / "icons").mkdir(parents=True)
    for file in VENDOR_FILES:
        _copy_without_source_map(node_modules / file, VENDOR_FOLDER / Path(file).name)
    for name in ICONS:
        _copy_without_source_map(node_modules / ICON_FOLDER / f"{name}.svg", VENDOR_FOLDER / "icons" / f"{name}.svg")


def _copy_without_source_map(source: Path, target: Path) -> None:
    # Source maps are not served, so the comment that names one would only cause requests that fail with 404.
    target.write_text(SOURCE_MAP.sub("", source.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> None:
    """Copy the files from the folder of npm packages that an argument names; by default from node_modules."""
    try:
        copy_assets(*map(Path, sys.argv[1:2]))
    except FileNotFoundError as missing:
        sys.exit(f"Error: {missing.filename} is missing. Run make install.")
