"""Downloads of flow files."""

import re
import unicodedata
from io import BytesIO

from flask import Response, send_file

DIRECTION_CONTROLS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def flow_download(text: str, name: str) -> Response:
    """Return a response that browsers save under this name. The name can be in any script."""
    content, name = BytesIO(text.encode()), sanitize_file_name(name)
    return send_file(content, "application/json", as_attachment=True, download_name=name, conditional=False, etag=False)


def sanitize_file_name(name: str) -> str:
    """Remove folders and invisible characters from a file name.

    Direction controls can make a name look like another one, for example with a different extension.
    """
    base = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in base if not _is_invisible(letter)).strip()


def _is_invisible(letter: str) -> bool:
    """Return whether this is a control character. Joiners are not, because Indian scripts need them."""
    return unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in DIRECTION_CONTROLS
