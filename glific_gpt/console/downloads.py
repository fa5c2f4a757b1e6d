"""Flows as files to keep."""

import re
import unicodedata
from io import BytesIO

from flask import Response, send_file

DIRECTIONS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def flow_file(text: str, name: str) -> Response:
    """An answer that a browser saves under that name, in whatever script it is."""
    content, name = BytesIO(text.encode()), plain(name)
    return send_file(content, "application/json", as_attachment=True, download_name=name, conditional=False, etag=False)


def plain(name: str) -> str:
    """A file's name without the folders before it, and without what can be seen as something else than it is."""
    own = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in own if not _is_hidden(letter)).strip()


def _is_hidden(letter: str) -> bool:
    """Control characters and those that turn the direction; not the joiners, which Indian scripts need."""
    return unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in DIRECTIONS
