"""Downloads: flow files, and the slots of exports."""

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
def release_on_error(release: Callable[[], None]) -> Iterator[None]:
    """Release the slot of an export if the block fails. After that, the response releases it when it closes.

    The slot would otherwise stay in use until the process ends.
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
