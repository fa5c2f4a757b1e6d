"""Static files: compressed where the browser accepts it, and cached for a year under the name of their version."""

import gzip
import re

import httpx2
import pytest

from glific_gpt.console import assets
from tests.support import http
from tests.support.server import RunningServer

CACHED = "public, max-age=31536000, immutable"
NAMES = ("console.css", "console.js", "vendor/tabler.min.css", "vendor/htmx.min.js")


def get(server: RunningServer, name: str, accepted: str) -> httpx2.Response:
    return http.get(f"{server.url}/console/static/{name}", headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None), ("", None)],
)
def test_a_file_has_the_smallest_encoding_that_the_browser_accepts(
    server: RunningServer, accepted: str, encoding: str | None
) -> None:
    for name in NAMES:
        plain = (assets.STATIC_FOLDER / name).read_bytes()
        with (
            http.Client() as client,
            client.stream(
                "GET",
                f"{server.url}/console/static/{assets.hashed_name(name)}",
                headers={"Accept-Encoding": accepted},
            ) as response,
        ):
            body = b"".join(response.iter_raw())
        assert response.headers.get("Content-Encoding") == encoding, name
        assert response.headers["Content-Type"].partition(";")[0] in ("text/css", "text/javascript"), name
        assert "Accept-Encoding" in response.headers["Vary"]
        assert body == plain if encoding is None else len(body) < len(plain) / 2
        if encoding == "gzip":
            assert gzip.decompress(body) == plain


def test_only_the_name_of_the_current_version_is_cached_for_a_year(server: RunningServer) -> None:
    current = get(server, assets.hashed_name("console.js"), "identity")
    assert current.headers["Cache-Control"] == CACHED
    for name in ("console.js", "console.0123456789ab.js"):
        other = get(server, name, "identity")
        assert (other.status_code, other.text) == (200, current.text)
        assert other.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["missing.js", "../context.py", "%2e%2e/context.py", "vendor", "vendor/compressed/console.css.br"]
)
def test_nothing_else_is_sent_and_its_absence_is_not_cached(server: RunningServer, name: str) -> None:
    response = get(server, name, "identity")
    assert (response.status_code, response.headers["Cache-Control"]) == (404, "no-store")


def test_pages_name_their_files_by_version(server: RunningServer) -> None:
    page = http.get(f"{server.url}/console/account/sign-in").text
    names = re.findall(r'"/console/static/([^"]+)"', page)
    assert len(names) >= 5
    for name in names:
        assert get(server, name, "br").headers["Cache-Control"] == CACHED, name
