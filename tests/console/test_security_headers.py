"""Headers that tell the browser what a page may do."""

from tests.support import http
from tests.support.server import RunningServer


def test_a_page_loads_from_this_server_only_and_cannot_be_framed(server: RunningServer) -> None:
    headers = http.get(f"{server.url}/console/account/sign-in").headers
    directives = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
