"""Downloads: flow files, and the places of exports."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

from flask import Response, send_file

DIRECTION_CONTROLS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def flow_download(text: str, name: str) -> Response:
    """Return a response that browsers save under this name. The name can be in any script."""
    content, name = BytesIO(text.encode()), sanitize_file_name(name)
    return send_file(content, "application/json", as_attachment=True, download_name=name, conditional=False, etag=False)


@contextmanager
def released_after_error(release: Callable[[], None]) -> Iterator[None]:
    """Release the place of an export if the block fails, before there is a response that releases it when it closes.

    The place would otherwise be taken until the process ends, for all organizations.
    """
    try:
        yield
    except BaseException:
        release()
        raise


def sanitize_file_name(name: str) -> str:
    """Remove folders and invisible characters from a file name.

    Direction controls can make a name look like another one, for example with a different extension.
    """
    base = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in base if not _is_invisible(letter)).strip()


def _is_invisible(letter: str) -> bool:
    """Return whether this is a control character. Joiners are not, because Indian scripts need them."""
    return unicodedata.category(letter) in ("Cc", "Cs") or unicodedata.bidirectional(letter) in DIRECTION_CONTROLS
