"""Static files of the console: addresses with a digest, sent in the smallest encoding that the browser accepts."""

import mimetypes
import re
from functools import lru_cache

from flask import Response, abort, request, send_from_directory, url_for

from glific_gpt.console import assets
from glific_gpt.console.access import AccessLevel, requires
from glific_gpt.console.blueprint import blueprint

HASHED_NAME = re.compile(r"(.+)\.[0-9a-f]{12}(\.[a-z]+)")
CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"


# A file changes only with a new version of the server, which starts new processes.
@lru_cache
def hashed_names() -> dict[str, str]:
    """Return the name with a digest of every static file."""
    return {name: assets.hashed_name(name) for name in assets.static_names()}


def asset_url(name: str) -> str:
    """Return the address of a static file. It contains a digest of the file, so that it can be cached for a year.

    Raises KeyError if there is no such file.
    """
    return url_for("console.static", filename=hashed_names()[name])


@blueprint.get("/static/<path:filename>")
@requires(AccessLevel.PUBLIC)
def static(filename: str) -> Response:
    """Send a static file.

    A name without a digest, or with that of another version, as pages have while servers are upgraded, gets the current
    file. Browsers then ask again before they use it from their caches.
    """
    match = HASHED_NAME.fullmatch(filename)
    name = "".join(match.groups()) if match else filename
    if name not in hashed_names():
        abort(404)
    response = _send_smallest(name)
    if filename == hashed_names()[name]:
        response.headers["Cache-Control"] = CACHE_FOR_A_YEAR
    return response


def _send_smallest(name: str) -> Response:
    for encoding, suffix in assets.ENCODINGS.items():
        compressed = assets.COMPRESSED_FOLDER / (hashed_names()[name] + suffix)
        if request.accept_encodings.quality(encoding) > 0 and compressed.exists():
            response = send_from_directory(compressed.parent, compressed.name, mimetype=mimetypes.guess_type(name)[0])
            response.content_encoding = encoding
            break
    else:
        response = send_from_directory(assets.STATIC_FOLDER, name)
    response.vary.add("Accept-Encoding")
    return response
