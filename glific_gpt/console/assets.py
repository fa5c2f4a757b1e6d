"""Files of the console that are made at installation: third-party files from node_modules, and compressed copies.

`python -P glific_gpt/console/assets.py [NODE_MODULES]` makes them. It does not import the rest of the product.
"""

import gzip
import hashlib
import re
import shutil
import sys
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

ROOT = Path(__file__).parents[2]
STATIC_FOLDER = Path(__file__).parent / "static"
VENDOR_FOLDER = STATIC_FOLDER / "vendor"
COMPRESSED_FOLDER = VENDOR_FOLDER / "compressed"
ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content encodings and the endings of compressed files, the smallest first."""
SMALLEST_BYTES = 500
"""Smaller files fit into one packet without compression."""

VENDOR_FILES = (
    "@tabler/core/dist/css/tabler.min.css",
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


def static_names() -> list[str]:
    """Return the names of all static files below their folder, without the compressed copies."""
    paths = (path for path in STATIC_FOLDER.rglob("*") if path.is_file() and COMPRESSED_FOLDER not in path.parents)
    return sorted(path.relative_to(STATIC_FOLDER).as_posix() for path in paths)


def hashed_name(name: str) -> str:
    """Return the name of a static file with a digest of its content: `console.css` is `console.0123456789ab.css`."""
    path = STATIC_FOLDER / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"


def compress_all() -> None:
    """Write compressed copies of all static files. Needs the package brotli.

    Their names contain the digests of the originals, so that a file that changes later is sent as it is.
    """
    import brotli  # only installations need it

    shutil.rmtree(COMPRESSED_FOLDER, ignore_errors=True)
    for name in static_names():
        content = (STATIC_FOLDER / name).read_bytes()
        if len(content) < SMALLEST_BYTES or name.startswith("vendor/icons/"):  # pages contain the icons
            continue
        target = COMPRESSED_FOLDER / hashed_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Without a time, so that two builds of a release have the same bytes.
        target.with_name(target.name + ENCODINGS["gzip"]).write_bytes(gzip.compress(content, mtime=0))
        target.with_name(target.name + ENCODINGS["br"]).write_bytes(brotli.compress(content))


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
    """Copy the files from the folder of npm packages that an argument names, by default node_modules, and compress."""
    try:
        copy_assets(*map(Path, sys.argv[1:2]))
        compress_all()
    except FileNotFoundError as missing:
        sys.exit(f"Error: {missing.filename} is missing. Run make install.")


if __name__ == "__main__":
    main()
